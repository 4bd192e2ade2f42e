"""JSON from others, with a bound on how deep it nests.

json.loads recurses in C once a level and trusts the interpreter's recursion limit to end that in time. Libraries
raise that limit for the whole process (py_ecc to 100,000, as soon as web3 is imported); then a few kilobytes of
opening brackets overflow the C stack, which kills the process instead of raising an error.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, Final

MAX_DEPTH: Final = 64

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)  # always matches at a quote: linear time
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def loads(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:  # Any: as json.loads
    """What `data` (UTF-8) says; ValueError if it is no JSON, or nests deeper than `max_depth`."""
    if data.count(b"[") + data.count(b"{") > max_depth and depth_of(data) > max_depth:
        raise ValueError(f"JSON that nests deeper than {max_depth}")
    return json.loads(data.decode())


def depth_of(data: bytes) -> int:
    """How deep the brackets outside of strings nest, in time linear in the length."""
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKET)
    return max(itertools.accumulate(map(_STEP.__getitem__, brackets)), default=0)
