"""The examples of the page on the command line, in their order."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_examples_run_and_show_what_is_written(quorate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = 0
    for block in blocks:
        for example in block.split("$ ")[1:]:
            command, *expected = example.splitlines()
            words = shlex.split(command)
            if words[0] == "cd":
                monkeypatch.chdir(tmp_path / words[1])
                continue
            ended = quorate(*words[1:])
            assert ended.code == 0, f"{command}: {ended.err}"
            for line in expected:
                assert line in ended.out, f"{command} does not print {line!r} but {ended.out}"
            commands += 1
    assert commands >= 15


def test_the_project_file_of_the_page_holds_the_defaults(tmp_path):
    from quorate.node.project.configuration import parse_project

    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert parse_project(text, tmp_path / "Quorate.toml") == parse_project("", tmp_path / "Quorate.toml")
