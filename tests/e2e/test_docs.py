"""The commands in the documents exist as they are written, and those that need no network do what they say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "deploy" / "README.md"]


def commands() -> list[tuple[str, str]]:
    """Every `$ quorate ...` line of a console block, with its document."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
            lines = [line[2:].split("#")[0].strip() for line in block.splitlines() if line.startswith("$ quorate")]
            found += [(document.name, line) for line in lines]
    return found


@cache
def help_of(*words: str) -> str:
    command = [sys.executable, "-m", "quorate.node", *words, "--help"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"COLUMNS": "200", "PATH": "/usr/bin"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("document", "line"), sorted(set(commands())), ids=lambda value: value[:60])
def test_a_documented_command_has_the_options_it_is_written_with(document: str, line: str) -> None:
    words = shlex.split(line)[1:]
    names = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
    groups = {"testnet", "node", "registry", "client", "account", "bench"}
    path = names[:2] if names and names[0] in groups else names[:1]
    shown = help_of(*path)
    for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", line):
        assert option in shown, f"{document}: {' '.join(path)} has no {option}"


def test_there_are_documented_commands() -> None:
    assert len(commands()) >= 12


def test_a_local_run_prints_what_each_client_gets() -> None:
    command = "run second-price-auction@1.0.0 --input alice=120 --input bob=95 --input carol=101 --local --json"
    done = subprocess.run(
        [sys.executable, "-m", "quorate.node", *shlex.split(command)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["outputs"] == {"alice": [0, 101], "bob": [0, 101], "carol": [0, 101]}
    assert (result["parties"], result["threshold"]) == (5, 1)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"
