"""Quorate.toml: what is read, and what is said about the rest."""

from pathlib import Path

import pytest

from quorate.node.config import ConfigInvalid
from quorate.node.errors import ConfigError
from quorate.node.project import find_project, load_project
from quorate.node.project.configuration import MAX_FILE_BYTES, parse_project

FILE = Path("/somewhere/Quorate.toml")


def test_an_empty_file_is_a_project_with_defaults():
    project = parse_project("", FILE)
    assert (project.name, project.parties, project.threshold, project.protocol) == ("program", 5, 1, "passive")
    assert project.source == Path("/somewhere/src/main.stfl")
    assert project.bytecode(release=True) == Path("/somewhere/target/release/program.stflb")


def test_everything_can_be_set():
    text = """
    [package]
    name = "tally"
    version = "1.2.3"
    authors = ["A", "B"]
    [build]
    source = "programs/tally.stfl"
    target_dir = "out"
    optimization_level = 3
    [mpc]
    protocol = "robust"
    field = "bls12-381"
    parties = 7
    threshold = 2
    [programs]
    second-price-auction = "1.0.0"
    """
    project = parse_project(text, FILE)
    assert (project.name, project.version, project.authors, project.level) == ("tally", "1.2.3", ("A", "B"), 3)
    assert (project.protocol, project.field, project.parties, project.threshold) == ("robust", "bls12-381", 7, 2)
    assert project.source == Path("/somewhere/programs/tally.stfl")
    assert project.programs == {"second-price-auction": "1.0.0"}


def test_the_words_of_a_stoffel_file_are_understood():
    text = """
    [mpc]
    backend = "honeybadger"
    curve = "bls12_381"
    instance_id = 7
    [build]
    output_dir = "out"
    unroll_budget = 100
    """
    project = parse_project(text, FILE.with_name("Stoffel.toml"))
    assert (project.protocol, project.field) == ("robust", "bls12-381")
    assert project.target == Path("/somewhere/out")


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[mpc", "syntax", ""),
        ("[mcp]\nparties = 5", "mcp", "did you mean mpc?"),
        ("mpc = 3", "mpc", "expected a table"),
        ("[mpc]\npartys = 5", "mpc.partys", "did you mean parties?"),
        ("[mpc]\nparties = 2", "mpc.parties", "an integer from 3 to 64"),
        ("[mpc]\nparties = true", "mpc.parties", "an integer from 3 to 64"),
        ("[mpc]\nparties = 4\nthreshold = 2", "mpc.parties", "expected 5 or more"),
        ('[mpc]\nprotocol = "robust"\nparties = 6\nthreshold = 2', "mpc.parties", "expected 7 or more"),
        ('[mpc]\nprotocol = "magic"', "mpc.protocol", "one of passive, abort, robust"),
        ('[mpc]\nfield = "gf256"', "mpc.field", "one of bn254"),
        ('[package]\nname = "../x"', "package.name", "begins with a letter"),
        ('[package]\nversion = "one"', "package.version", '"1.2.3"'),
        ('[package]\nauthors = ["a\\u0007"]', "package.authors", "line of text"),
        ('[build]\nsource = "/etc/passwd"', "build.source", "inside of the project"),
        ('[build]\ntarget_dir = "a/../../b"', "build.target_dir", "inside of the project"),
        ("[build]\noptimization_level = 4", "build.optimization_level", "an integer from 0 to 3"),
        ('[programs]\nx = "latest"', "programs.x", '"1.2.3"'),
    ],
)
def test_what_is_wrong_is_named(text, key, expected):
    with pytest.raises(ConfigInvalid) as caught:
        parse_project(text, FILE)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert expected in problem.expected
    if key != "syntax":
        assert problem.line is not None


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigInvalid) as caught:
        parse_project('[mpc]\nparties = 0\nthreshold = 0\n[package]\nname = ""', FILE)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 5]


def test_a_project_is_found_from_below(tmp_path):
    (tmp_path / "Stoffel.toml").write_text('[package]\nname = "theirs"\n')
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_project(tmp_path / "a" / "b").name == "theirs"
    (tmp_path / "Quorate.toml").write_text('[package]\nname = "ours"\n')
    assert find_project(tmp_path / "a").name == "ours"


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "Quorate.toml"
    with pytest.raises(ConfigError, match="cannot read"):
        load_project(path)
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="longer than"):
        load_project(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_project(path)
