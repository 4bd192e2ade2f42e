#!/bin/sh
# Makes both lock files anew from pyproject.toml: names, versions and hashes, and no address. Needs uv.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || { echo "lock: uv is not on the PATH" >&2; exit 1; }

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --no-annotate --overrides overrides.txt --extra devchain --group build "$@" pyproject.toml
}

compile --output-file requirements.lock
compile --constraint requirements.lock --group test --group lint --output-file requirements-dev.lock
