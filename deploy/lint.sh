#!/bin/sh
# Style, types and layers; says what runs, stops at the first failure.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

step() {
    printf '== %s\n' "$*"
    "$@"
}

step ruff check .
step ruff format --check .
step mypy
step pyright
step lint-imports
step deptry .
