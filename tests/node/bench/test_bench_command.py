"""`quorate bench mpc`: real processes, checked results, exact JSON."""

import json
import os
import subprocess
import sys

import pytest

from quorate.node.bench import OPERATIONS, Benchmark, run_benchmark, usual_operations
from quorate.node.bench.committee import BenchmarkFailed, _row
from quorate.node.errors import UsageError

ROW_KEYS = ["operation", "protocol", "parties", "threshold", "field", "batch"]
ROW_KEYS += ["cpu_us_per_op", "wall_us_per_op", "bytes_per_op", "rounds"]


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "quorate.node", "bench", "mpc", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )


def test_json_has_a_row_for_every_operation():
    result = bench("--batch", "4", "--repeat", "1", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report) == ["machine", "rows"]
    assert [row["operation"] for row in report["rows"]] == list(usual_operations("passive"))
    for row in report["rows"]:
        assert list(row)[: len(ROW_KEYS)] == ROW_KEYS
        assert (row["protocol"], row["parties"], row["threshold"], row["field"]) == ("passive", 3, 1, "bn254")
        assert row["batch"] == 4
        assert row["cpu_us_per_op"] > 0
        assert row["wall_us_per_op"] > 0
    by_name = {row["operation"]: row for row in report["rows"]}
    assert (by_name["multiply"]["bytes_per_op"], by_name["multiply"]["rounds"]) == (32, 1)
    assert (by_name["open"]["bytes_per_op"], by_name["rounds"]["rounds"]) == (64, 4)
    assert "multiply: products" in result.stderr


def test_late_messages_of_the_robust_protocol_meet_no_later_operation():
    arguments = ("--protocol", "robust", "--parties", "4", "--batch", "8", "--repeat", "1", "--json")
    result = bench("--operation", "multiply", "--operation", "open", *arguments)
    assert result.returncode == 0, result.stderr
    assert [row["protocol"] for row in json.loads(result.stdout)["rows"]] == ["robust"] * 2


def test_what_takes_long_is_measured_when_it_is_named():
    assert {"sort1024", "sha256"} - {*usual_operations("robust")} == {"sort1024", "sha256"}
    assert not any("multiply_on" in usual_operations(protocol) for protocol in ("passive", "abort", "robust"))
    result = bench(
        "--operation", "multiply_on", "--protocol", "abort", "--batch", "600000", "--repeat", "1", "--json"
    )
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)["rows"][0]
    assert (row["operation"], row["batch"]) == ("multiply_on", 600_000)
    assert set(usual_operations("passive")) < set(OPERATIONS)


def test_a_table_for_people():
    arguments = ("--parties", "2", "--threshold", "0", "--field", "mersenne61", "--batch", "10", "--repeat", "1")
    result = bench("--operation", "open", "--operation", "multiply", *arguments)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["operation", "batch"]
    assert [line.split()[0] for line in lines[1:3]] == ["open", "multiply"]
    assert "in clear" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--operation", "teleport"), "multiply, open"),
        (("--protocol", "magic"), "passive"),
        (("--field", "gf7"), "bn254"),
        (("--protocol", "robust", "--parties", "4", "--field", "goldilocks"), "--field"),
        (("--threshold", "2"), "needs 5 parties"),
        (("--parties", "1000"), "1 to 64"),
        (("--batch", "-1"), "0 to"),
        (("--repeat", "0"), "1 to"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(arguments, says):
    options = dict(zip((name.removeprefix("--") for name in arguments[::2]), arguments[1::2], strict=True))
    if "operation" in options:
        options["operations"] = (options.pop("operation"),)
    numbers = {name: int(value) if str(value).lstrip("-").isdigit() else value for name, value in options.items()}
    with pytest.raises(UsageError) as refused:
        Benchmark(**numbers)
    assert says in f"{refused.value.why} {refused.value.todo}"


def test_the_command_refuses_too():
    result = bench("--operation", "teleport", "--json")
    assert result.returncode == UsageError.exit_code
    assert "multiply" in json.loads(result.stdout)["error"]["todo"]


def test_a_wrong_result_fails():
    measured = {"right": False, "batch": 1, "cpu_s": 1, "wall_s": 1, "bytes_sent": 0, "rounds": 1}
    with pytest.raises(BenchmarkFailed, match="wrong result"):
        _row(Benchmark(), "multiply", [measured] * 3)


async def test_a_party_that_ends_early_is_named(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BenchmarkFailed, match="party 1 ended early"):
        await run_benchmark(Benchmark(operations=("open",)), report=lambda line: None)
