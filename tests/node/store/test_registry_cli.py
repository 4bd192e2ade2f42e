from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quorate.node.cli.registry import app
from quorate.node.errors import UsageError
from quorate.node.store import shipped_folder, shipped_packages
from quorate.node.store.trial import try_package
from quorate.registry import ManifestError, Package, UnknownPackage

RUNNER = CliRunner()


def invoke(*arguments: str) -> str:
    result = RUNNER.invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def copy_of(name: str, target: Path) -> Path:
    folder = target / name
    folder.mkdir(parents=True)
    for path, data in next(item for item in shipped_packages() if item.manifest.name == name).files.items():
        (folder / path).write_bytes(data)
    return folder


def test_list_shows_the_shipped_programs(tmp_path: Path) -> None:
    listed = json.loads(invoke("list", "--json", "--home", str(tmp_path)))
    assert [item["name"] for item in listed["programs"]] == [item.manifest.name for item in shipped_packages()]
    assert listed["tip"] == "shipped"
    text = invoke("list", "--home", str(tmp_path))
    assert "second-price-auction" in text
    assert text.splitlines()[0].split() == ["program", "version", "kind", "hash"]


def test_show_tells_what_a_program_takes_and_gives(tmp_path: Path) -> None:
    shown = json.loads(invoke("show", "private-set-intersection-size@1.0.0", "--json", "--home", str(tmp_path)))
    assert shown["clients"] == {"minimum": 2, "maximum": 2}
    assert shown["arguments"][0]["name"] == "k"
    assert shown["inputs"][0]["count"] == "k"
    by_hash = json.loads(invoke("show", shown["hash"], "--json", "--home", str(tmp_path)))
    assert by_hash == shown
    assert "bid: uint32" in invoke("show", "second-price-auction", "--home", str(tmp_path))


def test_show_of_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownPackage):
        invoke("show", "absent", "--home", str(tmp_path))


def test_check_runs_the_vectors(tmp_path: Path) -> None:
    folder = copy_of("private-average", tmp_path)
    assert json.loads(invoke("check", str(folder), "--json"))["passed"] is True
    vectors = folder / "vectors.json"
    vectors.write_text(vectors.read_text().replace("[15]", "[16]"))
    result = RUNNER.invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "not (16,)" in result.stdout
    (folder / "coprocessor.toml").write_text("name = 'x'")
    with pytest.raises(ManifestError):
        invoke("check", str(folder))
    with pytest.raises(UsageError, match="no folder"):
        invoke("check", str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def main() -> int64:\n  return 1 // (2 - 2)\n", "zero"),
        ("def main() -> None:\n  pass\n", "client 0 got ()"),
        (
            "def main() -> int64:\n  MpcOutput.send_to_client(0, Share.from_clear(77))\n  return 15\n",
            "client 0 got (77,)",
        ),
        ("def main() -> list[string]:\n  return ['x']\n", "invalid literal"),
    ],
)
def test_a_program_that_does_not_give_what_its_vectors_say_is_caught(source: str, problem: str) -> None:
    shipped = next(item for item in shipped_packages() if item.manifest.name == "private-average")
    package = Package.from_files({**shipped.files, "main.stfl": source.replace("'", '"').encode()})
    assert problem in try_package(package)[0].problem


def test_publish_makes_a_registry(tmp_path: Path) -> None:
    published = json.loads(invoke("publish", str(shipped_folder()), str(tmp_path / "registry"), "--json"))
    assert [item["name"] for item in published["programs"]] == [item.manifest.name for item in shipped_packages()]
    assert "is at" in invoke("publish", str(shipped_folder()), str(tmp_path / "registry"))
