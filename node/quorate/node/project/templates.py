"""What `quorate init` writes: a small project that checks, tests and runs as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from quorate.node.errors import UsageError

TEMPLATES: Final = ("program", "lib", "python", "solidity")
"""The kinds of projects."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

_MANIFEST: Final = """\
[package]
name = "{name}"
version = "0.1.0"
authors = []

[build]
source = "{source}"
target_dir = "target"

[mpc]
protocol = "passive"
field = "bn254"
parties = 5
threshold = 1
"""

_PROGRAM: Final = """\
# run-args: --client-input 0=120 --client-input 1=95
# Two clients learn which of them offers more, and nothing else.
def leads(mine: secret int64, theirs: secret int64) -> secret bool:
  return mine > theirs

def main():
  var alice = ClientStore.take_share(0, 0)
  var bob = ClientStore.take_share(1, 0)
  leads(alice, bob).send_to_client(0)
  leads(bob, alice).send_to_client(1)

def test_the_larger_offer_leads():
  assert leads(Share.from_clear(7), Share.from_clear(5)).reveal()

def test_equal_offers_lead_nowhere():
  assert not leads(Share.from_clear(5), Share.from_clear(5)).reveal()
"""

_LIBRARY: Final = """\
# The larger of two secrets.
def larger(a: secret int64, b: secret int64) -> secret int64:
  return select(a > b, a, b)

def test_larger():
  assert larger(Share.from_clear(3), Share.from_clear(-4)).reveal() == 3
"""

_PYTHON: Final = '''\
"""Run the program of this project on values of its two clients."""

from pathlib import Path

from quorate.node.sdk import Program

if __name__ == "__main__":
    program = Program.from_file(Path(__file__).parent / "src" / "main.stfl")
    result = program.with_inputs(0, [120]).with_inputs(1, [95]).run_local(parties=5, threshold=1)
    print("the first client leads:", result.output(0)[0])
'''

_CONTRACT: Final = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @notice The part of the market that tells where a request stands.
interface IMarket {
    function requestState(bytes32 requestId) external view returns (uint8);
}

/// @title Acts once, when the committee of one request has been paid for its result
contract Settlement {
    /// @dev The number of the state Fulfilled in the market.
    uint8 private constant FULFILLED = 3;

    IMarket public immutable market;
    bytes32 public immutable requestId;
    bool public settled;

    error NotFulfilled(uint8 state);
    error AlreadySettled();

    event Settled(bytes32 indexed requestId);

    constructor(IMarket market_, bytes32 requestId_) {
        market = market_;
        requestId = requestId_;
    }

    /// @notice Note that the request is fulfilled; anybody may call it, once.
    function settle() external {
        if (settled) revert AlreadySettled();
        uint8 state = market.requestState(requestId);
        if (state != FULFILLED) revert NotFulfilled(state);
        settled = true;
        emit Settled(requestId);
    }
}
"""

_FOUNDRY: Final = """\
[profile.default]
src = "contracts"
out = "target/contracts"
"""

_README: Final = """\
# {name}

    quorate check       compile without writing anything
    quorate test        run every function called test_*, in the clear and by a committee
    quorate run         run the program: --client-input 0=120 --client-input 1=95
    quorate build       write the bytecode to target/
"""


def make_project(folder: Path, *, template: str = "program", force: bool = False) -> list[Path]:
    """Write a new project into `folder`, and return its files; it is named like the folder.

    Raises UsageError when the template is unknown or the folder holds something; `force` adds the files to it, but
    never replaces one.
    """
    if template not in TEMPLATES:
        raise UsageError(f"no template is called {template}", todo=f"use one of {', '.join(TEMPLATES)}")
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", todo="name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UsageError(f"{folder} is not empty", todo="name another folder, or give --force to add to it")
    files = {folder / name: text for name, text in _files(_project_name(folder), template).items()}
    there = [path for path in files if path.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already", why="nothing is ever replaced", todo="move it away")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return sorted(files)


def _project_name(folder: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-")[:64]
    return name if _NAME.fullmatch(name) else "program"


def _files(name: str, template: str) -> dict[str, str]:
    source = "src/lib.stfl" if template == "lib" else "src/main.stfl"
    files = {
        "Quorate.toml": _MANIFEST.format(name=name, source=source),
        source: _LIBRARY if template == "lib" else _PROGRAM,
        "README.md": _README.format(name=name),
        ".gitignore": "/target/\n",
    }
    if template == "python":
        files["app.py"] = _PYTHON
    if template == "solidity":
        files |= {"contracts/Settlement.sol": _CONTRACT, "foundry.toml": _FOUNDRY}
    return files
