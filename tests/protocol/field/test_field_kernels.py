"""The choice of kernels, their check, their cache, and what importing the package costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quorate.protocol.field import BN254, GOLDILOCKS, MERSENNE61, SECP256K1, KernelFault, PrimeField, dispatch
from quorate.protocol.field.constants import LANE_SETS
from quorate.protocol.field.known_answers import is_right
from quorate.protocol.field.warm import warm

LONGEST_WORD = PrimeField("longest word", 2**64 - 59)
REPORT = """
import json, sys
from quorate.protocol.field import BN254, dispatch
from quorate.protocol.field.warm import warm
names = []
warm(lambda done, total, name: names.append([done, total, name]))
kernels = [dispatch.kernel(*key) for key in dispatch.kernels_in_use()]
hits = [sum(kernel.stats.cache_hits.values()) for kernel in kernels]
products = BN254.integers(BN254.mul(BN254.vector(range(20)), BN254.vector(range(20))))
print(json.dumps({"names": names, "hits": hits, "right": products == [i * i for i in range(20)]}))
"""


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    settings = {**os.environ, **environment}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> Any:
    out, errors = process.communicate(timeout=170)
    assert process.returncode == 0, errors
    return json.loads(out)


@pytest.fixture
def choice(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    dispatch.preferred.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    dispatch.preferred.cache_clear()


def test_importing_the_package_loads_no_compiler() -> None:
    code = (
        "import json, sys; import quorate.protocol.field as field; field.BN254.inverse(3); "
        "print(json.dumps(sorted({'numba', 'llvmlite'} & sys.modules.keys())))"
    )
    assert finish(start(code)) == []


def test_the_environment_chooses(choice: pytest.MonkeyPatch) -> None:
    choice.setenv(dispatch.OVERRIDE, "portable")
    assert dispatch.choose("multiply", 1000, "portable") == "portable"
    assert {kernels for _, kernels in dispatch.kernels_in_use()} == {"portable"}
    assert dispatch.choose("multiply", 1000, "word") == "word"
    assert {kernels for _, kernels in dispatch.kernels_in_use("word")} == {"portable", "word"}
    dispatch.preferred.cache_clear()
    choice.setenv(dispatch.OVERRIDE, "fastest")
    with pytest.raises(KernelFault, match="fastest is unknown: use portable or ifma"):
        dispatch.preferred()


def test_a_cpu_without_the_instructions_runs_portable_code(choice: pytest.MonkeyPatch) -> None:
    choice.setattr(dispatch, "has_ifma", lambda: False)
    choice.delenv(dispatch.OVERRIDE, raising=False)
    assert dispatch.choose("multiply", 1000, "portable") == "portable"
    dispatch.preferred.cache_clear()
    choice.setenv(dispatch.OVERRIDE, "ifma")
    with pytest.raises(KernelFault, match="no AVX-512-IFMA: unset QUORATE_KERNELS"):
        dispatch.preferred()


def test_numba_settings_restrict_the_cpu() -> None:
    code = "from quorate.protocol.field import dispatch; print(int(dispatch.has_ifma()))"
    assert finish(start(code, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="+sse2")) == 0


@pytest.mark.skipif(not dispatch.has_ifma(), reason="this CPU has no AVX-512-IFMA")
def test_long_vectors_take_the_lanes(choice: pytest.MonkeyPatch) -> None:
    choice.delenv(dispatch.OVERRIDE, raising=False)
    assert [dispatch.choose("multiply", count, "portable") for count in (1, 7, 8, 9)] == [
        "portable",
        "portable",
        "ifma",
        "ifma",
    ]
    assert dispatch.choose("multiply", 8, "carry") == "ifma"
    assert dispatch.choose("multiply", 8, "goldilocks") == "ifma word"
    assert dispatch.choose("total", 8, "mersenne61") == "mersenne61"
    assert dispatch.choose("add", 1000, "portable") == "portable"


@pytest.mark.skipif(not dispatch.has_ifma(), reason="this CPU has no AVX-512-IFMA")
@pytest.mark.parametrize("field", [BN254, SECP256K1, MERSENNE61, GOLDILOCKS, LONGEST_WORD], ids=lambda f: f.name)
def test_both_kernel_sets_compute_the_same_limbs(field: PrimeField, choice: pytest.MonkeyPatch) -> None:
    size = field.random_bytes * 1001
    x, y = (field.from_random_bytes(np.random.default_rng(seed).bytes(size)) for seed in (1, 2))
    results = []
    for kernels in ("portable", "ifma"):
        choice.setenv(dispatch.OVERRIDE, kernels)
        dispatch.preferred.cache_clear()
        shares = field.multiply_and_share(x, y, coefficients=[x, y], parties=5)
        matrix = field.matrix([[3, -8], [2**200, 5]], [x, y])
        randoms = field.from_random_bytes(np.random.default_rng(3).bytes(size))
        product = field.matrix_product(x, y, inner=7)
        results.append(
            [field.mul(x, y), field.scale(x, 2**100), field.dot(x, y), *shares, *matrix, randoms, product]
        )
    for portable, ifma in zip(*results, strict=True):
        assert np.array_equal(portable, ifma)


@pytest.mark.parametrize(
    ("name", "kernels"), sorted({key for base in LANE_SETS for key in dispatch.kernels_in_use(base)})
)
def test_a_wrong_kernel_is_found(name: str, kernels: str) -> None:
    """Each kernel passes its check; the same kernel with one bit of its output flipped does not."""
    compiled = dispatch.kernel(name, kernels)
    assert is_right(name, kernels, compiled, factor_table=dispatch.factor_table)

    def broken(*arguments: Any) -> Any:
        result = compiled(*arguments)
        arguments[-1].reshape(-1)[0] ^= np.uint64(1)
        return result if name != "address" else result + 8

    assert not is_right(name, kernels, broken, factor_table=dispatch.factor_table)


def test_a_wrong_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_load", lambda *_: lambda *_: None)
    with pytest.raises(KernelFault, match="add \\(portable\\) gives wrong results"):
        dispatch.kernel.__wrapped__("add", "portable")


def test_warming_reports_each_kernel() -> None:
    reports: list[tuple[int, int, str]] = []
    warm(lambda done, total, name: reports.append((done, total, name)))
    total = len(dispatch.kernels_in_use())
    assert [(done, of) for done, of, _ in reports] == [(done, total) for done in range(1, total + 1)]
    assert reports[0][2] == "portable add"


def test_warming_takes_the_fields_wanted() -> None:
    names: list[str] = []
    warm(lambda done, total, name: names.append(name), [MERSENNE61, GOLDILOCKS])
    expected = {*dispatch.kernels_in_use("mersenne61"), *dispatch.kernels_in_use("goldilocks")}
    assert sorted(names) == sorted(f"{kernels} {name}" for name, kernels in expected)


@pytest.mark.slow
def test_processes_share_the_cache_safely(tmp_path: Path) -> None:
    """Two cold processes at once, then a third: nothing is wrong, and the third compiles nothing."""
    cold = [start(REPORT, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    for report in [finish(process) for process in cold]:
        assert report["right"]
    third = finish(start(REPORT, NUMBA_CACHE_DIR=str(tmp_path)))
    assert third["right"]
    assert all(third["hits"])
    assert len(third["names"]) == len(third["hits"])
    assert not list(tmp_path.rglob("*.tmp.*"))
    indexes = list(tmp_path.rglob("*.nbi"))
    assert len(indexes) == len(third["hits"])
    assert len(list(tmp_path.rglob("*.nbc"))) == len(indexes)


def test_another_cpu_has_another_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    here = dispatch._digest.__wrapped__()
    monkeypatch.setattr(dispatch, "_target", lambda: ("x86_64", "other", "+sse2"))
    assert dispatch._digest.__wrapped__() != here


def test_no_writable_cache_is_no_obstacle(tmp_path: Path) -> None:
    """A home and a source folder that cannot be written: kernels compile for this process only."""
    code = (
        "import json, numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from quorate.protocol.field import BN254\n"
        "print(json.dumps(BN254.integers(BN254.add(BN254.zeros(1), BN254.full(1, 5)))))"
    )
    assert finish(start(code, QUORATE_KERNELS="portable")) == [5]
