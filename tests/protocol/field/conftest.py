"""Both kernel sets, one after the other, for the tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quorate.protocol.field import dispatch
from quorate.protocol.field.constants import IFMA, PORTABLE

KERNELS = [PORTABLE, IFMA] if dispatch.has_ifma() else [PORTABLE]


@pytest.fixture(params=KERNELS, scope="module")
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(dispatch.OVERRIDE, request.param)
        dispatch.preferred.cache_clear()
        yield request.param
    dispatch.preferred.cache_clear()
