from __future__ import annotations

import pytest

from quorate.node.store import shipped_index, shipped_packages
from quorate.node.store.trial import compile_package, public_values, run_in_the_clear
from quorate.registry import Case, Package

CASES = [
    pytest.param(package, case, id=f"{package.manifest.name}: {case.name}")
    for package in shipped_packages()
    for case in package.cases()
]


@pytest.mark.parametrize(("package", "case"), CASES)
def test_the_clear_engine_gives_what_the_vectors_say(package: Package, case: Case) -> None:
    result = run_in_the_clear(package, compile_package(package), case)
    assert [output.client for output in result.outputs] == list(range(len(case.inputs)))
    assert tuple(tuple(output.values) for output in result.outputs) == case.outputs
    assert public_values(result) == case.public


def test_the_index_holds_what_is_shipped() -> None:
    names = ["private-average", "private-set-intersection-size", "second-price-auction"]
    assert [entry.name for entry in shipped_index()] == names
    for package in shipped_packages():
        entry = shipped_index().resolve(f"{package.manifest.name}@{package.manifest.version}")
        assert entry == package.entry()
        assert entry == shipped_index().resolve(package.content_hash.hex())
        assert Package.from_archive(package.archive(), entry.content_hash) == package


@pytest.mark.parametrize("package", shipped_packages(), ids=lambda package: package.manifest.name)
def test_each_is_tried_at_its_bounds(package: Package) -> None:
    counts = {len(case.inputs) for case in package.cases()}
    assert {package.manifest.minimum_clients, package.manifest.maximum_clients} <= counts
    assert len(package.cases()) >= 8
