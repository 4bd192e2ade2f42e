#!/bin/sh
# Makes or refreshes .venv from a lock file: `bootstrap.sh runtime` or `bootstrap.sh dev`.
# POSIX sh; needs Python 3.11 to 3.13, and uses uv when it is on the PATH. No compiler is needed.
# PYTHON names the interpreter to build on, if not the first suitable one on the PATH.
set -eu

cd "$(dirname "$0")/.."
level="${1:-runtime}"
stamp=.venv/.quorate-stamp

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "setup: $1"
    say "  do: $2"
    exit 1
}

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        suitable "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13" "name another one, or unset PYTHON"
        printf '%s' "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 && suitable "$name"; then
            printf '%s' "$name"
            return
        fi
    done
}

# What .venv must have been made from to be used as it is: the lock, the build description, this script, the place.
wanted_stamp() {
    printf '%s %s ' "$1" "$PWD"
    cat "$2" pyproject.toml deploy/bootstrap.sh | cksum
}

lock_of() {
    if [ "$1" = dev ]; then printf requirements-dev.lock; else printf requirements.lock; fi
}

[ "$level" = runtime ] || [ "$level" = dev ] || fail "no level called $level" "say runtime or dev"

# The development lock contains the other one: what was made for development stays so.
if [ -f "$stamp" ] && grep -q '^dev ' "$stamp"; then level=dev; fi
lock=$(lock_of "$level")

if [ -x .venv/bin/python ] && suitable .venv/bin/python; then
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted_stamp "$level" "$lock")" ]; then exit 0; fi
fi

python=$(choose_python)
if command -v uv >/dev/null 2>&1; then uv=yes; else uv=no; fi
if [ -z "$python" ] && [ "$uv" = no ]; then
    fail "no Python 3.11, 3.12 or 3.13 on the PATH" "install one (or uv, which brings its own), or set PYTHON=/path/to/python3"
fi

rm -f "$stamp"
say "setup: installing $lock into .venv (once; some minutes on a slow network)"
if ! { [ -x .venv/bin/python ] && suitable .venv/bin/python; }; then
    rm -rf .venv
    if [ "$uv" = yes ]; then
        uv venv --quiet --python "${python:->=3.11,<3.14}" .venv
    else
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "$python cannot make virtual environments" "install its venv package (Debian and Ubuntu: apt install python3-venv), or uv"
        "$python" -m venv .venv
    fi
fi

if [ "$uv" = yes ]; then
    uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes "$lock"
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
else
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --no-deps --require-hashes -r "$lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi
wanted_stamp "$level" "$lock" >"$stamp"
say "setup: done"
