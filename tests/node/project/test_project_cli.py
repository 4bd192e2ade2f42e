"""The commands about projects and programs."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from quorate.node.project.templates import TEMPLATES
from quorate.node.project.watching import changes, snapshot
from quorate.protocol.vm import load

RICHER = ["--client-input", "0=120", "--client-input", "1=95"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_is_in_order(quorate, tmp_path, template):
    folder = tmp_path / "my project"
    made = json.loads(quorate("init", folder, "--template", template, "--json").out)
    assert {"Quorate.toml", "README.md"} < set(made["files"])
    status = json.loads(quorate("status", folder, "--json").out)
    assert (status["project"], status["failures"]) == ("my-project 0.1.0", [])
    assert status["tests"] >= 1
    assert quorate("fmt", folder, "--check").code == 0
    report = json.loads(quorate("test", folder, "--json", "--parties", "3").out)
    assert (report["passed"], report["failed"]) == (status["tests"], 0)


def test_nothing_is_ever_replaced(quorate, tmp_path):
    (tmp_path / "notes").write_text("mine")
    assert quorate("init", tmp_path).code == 2
    assert quorate("init", tmp_path, "--force").code == 0
    again = quorate("init", tmp_path, "--force")
    assert again.code == 2
    assert "is there already" in again.err
    assert quorate("init", tmp_path / "notes").code == 2
    assert "no template" in quorate("init", tmp_path / "a", "--template", "rust").err
    assert quorate("init", tmp_path / "a", "--lib", "--template", "python").code == 2


def test_the_python_template_runs(quorate, tmp_path):
    quorate("init", tmp_path / "p", "--template", "python")
    done = subprocess.run([sys.executable, tmp_path / "p" / "app.py"], capture_output=True, text=True, check=True)
    assert done.stdout == "the first client leads: True\n"


def test_build_status_and_clean(quorate, project):
    assert json.loads(quorate("status", "--json").out)["bytecode"] is None
    built = json.loads(quorate("build", "--json").out)
    assert load((project / "target/debug/richer.stflb").read_bytes()).function("main").name == "main"
    assert built["size_bytes"] == (project / "target/debug/richer.stflb").stat().st_size
    assert json.loads(quorate("status", "--json").out)["current"]
    source = project / "src/main.stfl"
    os.utime(source, ns=(2**62, 2**62))
    assert not json.loads(quorate("status", "--json").out)["current"]
    assert quorate("build", "--release").code == 0
    assert len(json.loads(quorate("clean", "--dry-run", "--json").out)["files"]) == 2
    assert (project / "target").is_dir()
    assert quorate("clean").code == 0
    assert not (project / "target").exists()
    assert "nothing is built" in quorate("clean").out


def test_clean_removes_nothing_outside(quorate, project, tmp_path):
    (tmp_path / "precious").mkdir()
    (project / "target").symlink_to(tmp_path / "precious")
    assert "is a link" in quorate("clean").err
    (project / "Quorate.toml").write_text('[build]\ntarget_dir = "src"\n')
    assert "the sources are in it" in quorate("clean").err
    assert (project / "src/main.stfl").exists()


def test_check_shows_every_error_of_every_file(quorate, project):
    assert quorate("check").code == 0
    (project / "tests").mkdir()
    (project / "tests" / "bad.stfl").write_text("def test_a():\n  var x: int64 = True\n  print(y)\n")
    ended = quorate("check")
    assert ended.code == 1
    assert "bad.stfl:2:18: error E0401" in ended.err
    assert "bad.stfl:3:9: error E0301" in ended.err
    report = json.loads(quorate("check", "--json").out)
    assert [one["code"] for one in report["failures"][0]["diagnostics"]] == ["E0401", "E0301"]
    assert quorate("status").code == 1
    assert quorate("test").code == 1


def test_there_must_be_a_project_or_a_file(quorate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in ("check", "build", "test", "fmt", "status", "clean", "update", "run", "dev"):
        ended = quorate(command)
        assert ended.code == 3, command
        assert "quorate init" in ended.err
    assert "cannot read" in quorate("check", "absent.stfl").err
    assert "there is no absent" in quorate("check", "absent").err
    (tmp_path / "Quorate.toml").touch()
    assert "cannot read" in quorate("check").err
    (tmp_path / "Quorate.toml").write_text("[mpc]\nparties = 'five'\n")
    assert "line 2: mpc.parties = 'five': expected an integer" in quorate("check").err.replace("\n       ", " ")


def test_tests_fail_in_the_open(quorate, project):
    (project / "tests").mkdir()
    (project / "tests" / "sums.stfl").write_text(
        "def test_right():\n  assert 1 + 1 == 2\n\ndef test_wrong():\n  assert 1 + 1 == 3\n\n"
        "def test_with(x: int64):\n  pass\n"
    )
    ended = quorate("test", "--test", "sums", "--engine", "clear", "--json")
    assert ended.code == 1
    report = json.loads(ended.out)
    assert (report["passed"], report["failed"]) == (1, 1)
    wrong = report["programs"][1]
    assert wrong["path"] == "tests/sums.stfl::test_wrong"
    assert "sums.stfl:5: in test_wrong" in wrong["error"]
    assert quorate("test", "--test", "test_right", "--engine", "clear").code == 0
    assert quorate("test", "--test", "nothing").code == 2
    assert quorate("test", "--engine", "magic").code == 2


def test_tests_and_programs_import_modules(quorate, project):
    (project / "src" / "prices.stfl").write_text("def double(x: int64) -> int64:\n  return 2 * x\n")
    (project / "tests").mkdir()
    (project / "tests" / "doubles.stfl").write_text(
        "import prices as p\n\ndef test_double():\n  assert p.double(4) == 8\n"
    )
    assert json.loads(quorate("test", "--test", "doubles", "--json").out)["passed"] == 1


def test_fmt_writes_and_checks(quorate, project):
    untidy = project / "src" / "untidy.stfl"
    untidy.write_text("def f( x:int64 )->int64 :\n     return x+1 # so\n")
    assert quorate("fmt", "--check").code == 1
    assert json.loads(quorate("fmt", "--json").out) == {
        "changed": ["src/untidy.stfl"],
        "files": 2,
        "written": True,
    }
    assert untidy.read_text() == "def f(x: int64) -> int64:\n  return x + 1  # so\n"
    assert quorate("fmt", "--check").code == 0
    untidy.write_text("def f():\n  var x = §\n")
    assert quorate("fmt").code == 1
    assert "ends in .stfl" in quorate("fmt", project / "x.stflb").err


def test_run_a_project_and_its_bytecode(quorate, project):
    result = json.loads(quorate("run", *RICHER, "--parties", "3", "--json", "--trace").out)
    assert result["outputs"] == {"0": [{"type": "bool", "value": True}], "1": [{"type": "bool", "value": False}]}
    assert (result["parties"], result["protocol"], result["value"]) == (3, "passive", None)
    assert result["trace"] == [{"step": 1, "operation": "comparison", "count": 2}]
    assert quorate("compile", "src/main.stfl", "-o", "x.stflb").code == 0
    shown = quorate("run", "x.stflb", *RICHER, "--parties", "3")
    assert "True" in shown.out
    assert "3 parties in this process" in shown.err


def test_run_takes_arguments_and_an_entry(quorate, tmp_path):
    path = tmp_path / "a.stfl"
    path.write_text(
        "def power(base: int64, up: bool, name: string, more: list[int64]) -> int64:\n"
        "  print(name, up, len(more))\n  return base * base\n\ndef main():\n  pass\n"
    )
    given = ["--argument", "base=-3", "--argument", "up=true", "--argument", "name=x=y", "--argument", "more=1,2"]
    result = json.loads(quorate("run", path, "--entry", "power", *given, "--json").out)
    assert (result["value"], result["printed"]) == (9, ["x=y True 2"])
    assert "the argument base" in quorate("run", path, "--entry", "power").err
    wrong = ["--argument", "base=three", *given[2:]]
    assert "it must be a int64" in quorate("run", path, "--entry", "power", *wrong).err
    assert "takes no argument x" in quorate("run", path, "--argument", "x=1").err
    assert "no function" in quorate("run", path, "--entry", "absent").err
    path.write_text("def main() -> string:\n  return Mpc.field()\n")
    assert json.loads(quorate("run", path, "--field", "secp256k1", "-O3", "--json").out)["value"] == "secp256k1"
    assert quorate("run", path, "--field", "f4").code == 2


def test_run_refuses_what_contradicts_itself(quorate, project):
    assert "--client-input" in quorate("run", "--input", "alice=1").err
    assert quorate("run", "second-price-auction@1.0.0").code == 2
    assert quorate("run", "second-price-auction@1.0.0", "--input", "a=1", "--trace").code == 2
    assert quorate("run", "--network", "a/network.json", "--testnet", "a").code == 2
    assert quorate("run", *RICHER, "--parties", "4", "--threshold", "2").code == 2
    assert "gave no input" in quorate("run").err


def test_compile_prints_listings_and_costs(quorate, project):
    assert "secret_less" in quorate("compile", "src/main.stfl", "--disassemble").out
    listing = quorate("compile", "src/main.stfl", "--print-ir").out
    assert "    4 | return mine > theirs" in listing
    cost = json.loads(quorate("compile", "src/main.stfl", "--cost", *RICHER, "--json").out)
    assert (cost["comparisons"], cost["outputs"], cost["parties"]) == (2, 2, 5)
    assert {"line": 4, "operation": "secret_less", "places": 1} in cost["lines"]
    assert "comparisons" in quorate("compile", "src/main.stfl", "--cost", *RICHER).out
    assert quorate("compile", "src/main.stfl").code == 0
    assert quorate("compile", "src/main.stflb", "--disassemble").code == 0
    (project / "src" / "main.stflb").write_bytes(b"QSTFLB broken")
    assert "cannot be loaded" in quorate("compile", "src/main.stflb", "--disassemble").err
    assert quorate("compile", "src/main.stfl", "--cost", "--disassemble").code == 2
    assert quorate("compile", "src/main.stfl", "--bindings", "cobol").code == 2
    assert quorate("compile", "src/main.stfl", "-O", "4").code == 2
    assert "is no program" in quorate("compile", "Quorate.toml").err


def test_the_optimiser_is_asked_for(quorate, tmp_path):
    path = tmp_path / "a.stfl"
    path.write_text("def main() -> int64:\n  var x = 2\n  return x * 3 + 4 * 5\n")
    plain, folded = (quorate("compile", path, "--disassemble", f"-O{level}").out for level in (0, 3))
    assert "multiply" in plain
    assert "multiply" not in folded
    for level in (0, 3):
        assert json.loads(quorate("run", path, f"-O{level}", "--json").out)["value"] == 26


def test_the_cost_takes_the_inputs_of_the_file(quorate, tmp_path):
    path = tmp_path / "main.stfl"
    path.write_text(
        "# run-args: --client-input 0=3\ndef main():\n  discard ClientStore.take_share(0, 0).reveal()\n"
    )
    assert json.loads(quorate("compile", path, "--cost", "--json").out)["opened"] == 1


def test_update_moves_versions_and_nothing_else(quorate, project, tmp_path):
    file = project / "Quorate.toml"
    before = file.read_text() + '\n[programs]  # used by the demo\nsecond-price-auction = "0.0.1" # old\n'
    file.write_text(before)
    home = ["--home", str(tmp_path / "home")]
    shown = quorate("update", "--check", *home, "--json")
    newest = json.loads(shown.out)["programs"][0]["newest"]
    assert shown.code == 1
    assert file.read_text() == before
    assert quorate("update", *home).code == 0
    assert file.read_text() == before.replace('"0.0.1"', f'"{newest}"')
    assert quorate("update", "--check", *home).code == 0
    file.write_text(before.replace("second-price-auction", "absent-program"))
    assert "no program absent-program" in quorate("update", *home).err


def test_changes_are_noticed(tmp_path):
    first = tmp_path / "a.stfl"
    first.write_text("1")
    steps = iter(
        [lambda: first.write_text("22"), lambda: None, lambda: (tmp_path / "b.stfl").touch(), first.unlink]
    )
    noticed = changes(lambda: sorted(tmp_path.glob("*.stfl")), pause=lambda _: next(steps)())
    assert next(noticed) == [first]
    assert next(noticed) == [tmp_path / "b.stfl"]
    assert next(noticed) == [first]
    assert snapshot([first]) == {}


def test_dev_checks_again_after_a_change(project):
    command = [sys.executable, "-m", "quorate.node", "dev"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        for line in process.stderr:
            if "waiting" in line:
                break
        (project / "src" / "main.stfl").write_text("def main():\n  print(x)\n")
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "waiting" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
        watchdog.cancel()
    assert process.returncode == 0
    assert "E0301" in "".join(seen)
    assert "2 passed, 0 failed" in out
    assert "1 of them with errors" in out
