"""Galleries: which programs pass, fail, are skipped, and what becomes of one that does not end."""

import json

import pytest

from quorate.node.errors import UsageError
from quorate.node.gallery import Status, Trial, find_programs, run_gallery
from quorate.node.gallery.programs import Entry, read_entry
from quorate.node.gallery.trial import difference, judge
from quorate.node.project import Committee
from quorate.node.project.execution import ClientValues, Execution

PROGRAMS = {
    "adds": "# run-args: --client-input 0=2 --client-input 0=3 --expected-output-clients 1\n"
    "def main():\n  var s = ClientStore.take_share(0, 0) + ClientStore.take_share(0, 1)\n"
    "  s.send_to_client(0)\n  assert s.reveal() == 5\n",
    "asserts": 'def main():\n  assert False, "as expected"\n',
    "broken": "def main()\n  pass\n",
    "deep/inside": "def main() -> int64:\n  return 7\n",
    "draws": "def main():\n  print(Share.random_int(30).reveal())\n",
    "module": "def helper():\n  pass\n",
    "needs": "def main():\n  print(ClientStore.take_share(0, 0).reveal())\n",
    "parametric": "def main(n: int64):\n  pass\n",
}
EXPECTED = {
    "adds": "passed",
    "asserts": "failed",
    "broken": "failed",
    "deep/inside": "passed",
    "draws": "passed",
    "module": "skipped",
    "needs": "skipped",
    "parametric": "skipped",
}
ENDLESS = "def main():\n  var n = 0\n  while True:\n    for i in range(1000000):\n      n = i\n"


def write(folder, programs):
    for name, text in programs.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "main.stfl").write_text(text)
    return folder


@pytest.mark.parametrize("engine", ["clear", "mpc"])
def test_programs_are_judged(tmp_path, engine):
    write(tmp_path, PROGRAMS)
    trial = Trial(engine, Committee(3, 1))
    judged = {name: judge(tmp_path / name / "main.stfl", trial) for name in PROGRAMS}
    assert {name: str(status) for name, (status, _) in judged.items()} == EXPECTED
    assert "as expected" in judged["asserts"][1]
    assert "E0201" in judged["broken"][1]
    assert "gives no inputs" in judged["needs"][1]


def test_the_project_file_beside_a_program_names_its_field(tmp_path):
    write(tmp_path, {"a": 'def main():\n  assert Mpc.field() == "bls12-381"\n'})
    assert judge(tmp_path / "a" / "main.stfl", Trial())[0] is Status.FAILED
    (tmp_path / "a" / "Stoffel.toml").write_text('[mpc]\ncurve = "bls12_381"\n')
    assert judge(tmp_path / "a" / "main.stfl", Trial()) == (Status.PASSED, "")
    (tmp_path / "a" / "Stoffel.toml").unlink()
    other = Trial(committee=Committee(field="bls12-381"))
    assert judge(tmp_path / "a" / "main.stfl", other) == (Status.PASSED, "")


def test_a_gallery_on_worker_processes(quorate, tmp_path):
    write(tmp_path, {name: PROGRAMS[name] for name in ("adds", "asserts", "module")} | {"endless": ENDLESS})
    ended = quorate("gallery", tmp_path, "--jobs", "2", "--timeout", "2", "--json")
    assert ended.code == 1
    report = json.loads(ended.out)
    assert (report["passed"], report["failed"], report["skipped"]) == (1, 2, 1)
    by_path = {one["path"]: one for one in report["programs"]}
    assert list(by_path) == [f"{name}/main.stfl" for name in ("adds", "asserts", "endless", "module")]
    assert by_path["adds/main.stfl"]["error"] is None
    assert by_path["endless/main.stfl"]["status"] == "failed"
    assert by_path["endless/main.stfl"]["seconds"] >= 0
    (tmp_path / "endless" / "main.stfl").unlink()
    (tmp_path / "asserts" / "main.stfl").unlink()
    shown = quorate("gallery", tmp_path, "--engine", "mpc", "--parties", "3")
    assert shown.code == 0
    assert "1 passed, 0 failed, 1 skipped" in shown.out


def test_what_a_gallery_cannot_be(quorate, tmp_path):
    assert "holds 0 programs" in quorate("gallery", tmp_path).err
    assert "is no folder" in quorate("gallery", tmp_path / "absent").err
    write(tmp_path, {"a": PROGRAMS["adds"]})
    assert quorate("gallery", tmp_path, "--engine", "magic").code == 2
    assert quorate("gallery", tmp_path, "--parties", "2").code == 2
    for options in ({"jobs": 0}, {"jobs": 65}, {"timeout_s": 0.0}, {"timeout_s": float("inf")}):
        with pytest.raises(UsageError):
            run_gallery(tmp_path, find_programs(tmp_path), Trial(), **options)


def test_run_args_are_read():
    text = (
        '# Text.\n#run-args: --client-input=0=1 --client-input "1=true" --expected-output-clients 2 --entry go\n'
    )
    assert read_entry(text) == Entry({0: (1,), 1: (1,)}, 2, "go")
    assert read_entry("def main():\n  pass\n") == Entry()


@pytest.mark.parametrize(
    "options",
    ["--network x", "--client-input", "--client-input a=b", "--expected-output-clients many", '--entry "x'],
)
def test_run_args_that_are_none(options):
    with pytest.raises(UsageError):
        read_entry(f"# run-args: {options}\n")


def result(value=1, printed=("a",), values=(5,), types=("int64",), client=0):
    return Execution(value, {client: ClientValues(values, types)}, printed)


@pytest.mark.parametrize(
    ("other", "words", "also_random"),
    [
        (result(value=2), "returned 2", False),
        (result(printed=("b",)), "line 1", False),
        (result(printed=("a", "b")), "printed 2 lines", True),
        (result(values=(6,)), "client 0 received other values", False),
        (result(types=("bool",)), "client 0 received other values", True),
        (result(client=1), "sent to clients [1]", True),
    ],
)
def test_differences_are_told(other, words, also_random):
    assert words in difference(result(), other, random=False)
    assert bool(difference(result(), other, random=True)) == also_random
    assert difference(result(), result(), random=False) == ""
