"""Speed of clear code: translated programs against the stepping machine and against Python written by hand.

    python tests/bench/vm_speed.py [--json] [--size PERCENT]

Each program runs in the same process as its twin in Python, the best of some rounds each, in CPU seconds of one
thread. Machines and their load differ: compare the ratios. The time of translation, which is paid once for a
program, is given apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import thread_time
from typing import Any

from quorate.protocol.lang import compile_source
from quorate.protocol.vm import ClearEngine, Limits, Program, machine
from quorate.protocol.vm.translate import run

ROUNDS = 5
SLOW_ROUNDS = 2
LIMITS = Limits(steps=1 << 29, cells=1 << 29)


def nested(n: int) -> int:
    total = 0
    for i in range(n):
        for j in range(n):
            total += (i * j + 7) % 13
    return total


def sieve(n: int) -> int:
    marks: list[bool] = []
    for _ in range(n):
        marks.append(True)
    count = 0
    for i in range(2, n):
        if marks[i]:
            count += 1
            j = i * i
            while j < n:
                marks[j] = False
                j += i
    return count


def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def sums(n: int) -> int:
    values: list[int] = []
    for i in range(n):
        values.append(i * 3 - 1)
    total = 0
    for _ in range(4):
        for value in values:
            total += value
    return total


def collatz(n: int) -> int:
    best = 0
    for start in range(1, n):
        x = start
        steps = 0
        while x != 1:
            if x % 2 == 0:
                x = x // 2
            else:
                x = 3 * x + 1
            steps += 1
        best = max(best, steps)
    return best


NESTED = """
def main(n: int64) -> int64:
  var total = 0
  for i in range(n):
    for j in range(n):
      total += (i * j + 7) % 13
  return total
"""
SIEVE = """
def main(n: int64) -> int64:
  var marks: list[bool] = []
  for i in range(n):
    marks.append(True)
  var count = 0
  for i in range(2, n):
    if marks[i]:
      count += 1
      var j = i * i
      while j < n:
        marks[j] = False
        j += i
  return count
"""
FIB = """
def fib(n: int64) -> int64:
  if n < 2:
    return n
  return fib(n - 1) + fib(n - 2)

def main(n: int64) -> int64:
  return fib(n)
"""
SUMS = """
def main(n: int64) -> int64:
  var values: list[int64] = []
  for i in range(n):
    values.append(i * 3 - 1)
  var total = 0
  for i in range(4):
    for value in values:
      total += value
  return total
"""
COLLATZ = """
def main(n: int64) -> int64:
  var best = 0
  for start in range(1, n):
    var x = start
    var steps = 0
    while x != 1:
      if x % 2 == 0:
        x = x // 2
      else:
        x = 3 * x + 1
      steps += 1
    best = max(best, steps)
  return best
"""
PROGRAMS: dict[str, tuple[str, Callable[[int], int], int]] = {
    "nested loops": (NESTED, nested, 500),
    "sieve": (SIEVE, sieve, 60_000),
    "fibonacci": (FIB, fib, 21),
    "list sums": (SUMS, sums, 50_000),
    "collatz": (COLLATZ, collatz, 1_500),
}


def finished(running: Any) -> Any:
    """The result of a run that does not communicate."""
    try:
        next(running)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a clear engine communicates")


def seconds(step: Callable[[], object], rounds: int) -> float:
    """CPU seconds of the best round."""
    best = float("inf")
    for _ in range(rounds):
        begin = thread_time()
        step()
        best = min(best, thread_time() - begin)
    return best


def measure(source: str, twin: Callable[[int], int], size: int) -> dict[str, float]:
    """Seconds of the three ways, of the first translated run, and the ratios."""
    program: Program = compile_source(source, "bench.stfl")

    def translated() -> Any:
        return finished(run(program, ClearEngine({}), arguments=(size,), limits=LIMITS))

    def stepped() -> Any:
        return finished(machine.run(program, ClearEngine({}), arguments=(size,), limits=LIMITS))

    first = seconds(translated, 1)
    assert translated() == stepped()
    assert translated().value == twin(size)
    by_hand = seconds(lambda: twin(size), ROUNDS)
    fast = seconds(translated, ROUNDS)
    slow = seconds(stepped, SLOW_ROUNDS)
    return {
        "python_seconds": by_hand,
        "translated_seconds": fast,
        "stepping_seconds": slow,
        "translation_seconds": max(0.0, first - fast),
        "times_python": fast / by_hand,
        "times_faster_than_stepping": slow / fast,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--size", type=int, default=100, metavar="PERCENT")
    options = parser.parse_args()
    found = {
        name: measure(source, twin, size if name == "fibonacci" else max(3, size * options.size // 100))
        for name, (source, twin, size) in PROGRAMS.items()
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'program':<14}{'Python':>10}{'translated':>12}{'stepping':>10}{'/ Python':>10}{'stepping /':>12}")
    for name, row in found.items():
        print(
            f"{name:<14}{row['python_seconds']:>9.3f}s{row['translated_seconds']:>11.3f}s"
            f"{row['stepping_seconds']:>9.2f}s{row['times_python']:>10.2f}{row['times_faster_than_stepping']:>12.1f}"
        )


if __name__ == "__main__":
    main()
