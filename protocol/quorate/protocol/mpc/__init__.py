"""Multi-party computation over Shamir shares: protocols as generators of communication rounds.

`Party` is one party's context; every operation is a generator function over vectors of shares, whose length is
the batch. What an adversary may do is the scheme's matter: `passive` and `abort` say exactly what they withstand.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from quorate.protocol.sharing import InconsistentShares, PartyId

from .abort import ABORT, VerificationFailed
from .batches import MAX_ROUND_ELEMENTS
from .binary import (
    Bytes,
    bits_to_bytes,
    dual_bits,
    multiply_bytes,
    open_bytes,
    random_byte_bits,
    random_bytes,
    to_byte_bits,
    to_field_bits,
)
from .client import ClientInput, ClientOutput, signed_integers
from .compare import (
    MAX_COMPARED_BITS,
    equal,
    equal_plan,
    less_than,
    less_than_plan,
    less_than_zero,
    less_than_zero_plan,
    modulo_power,
    shift_right,
    to_bits,
    to_bits_plan,
)
from .input import (
    MAX_INPUT_BITS,
    MAX_INPUT_MASKS,
    InputFault,
    InputKind,
    InputMasks,
    accept_inputs,
    draw_masks,
    mask_count,
)
from .local import Deadlock, run_local
from .logic import bits_to_integer, logical_and, logical_not, logical_or, logical_xor, select
from .masks import decomposition, expand, sign_test, zero_test
from .operations import (
    inner_products,
    matrix_product,
    multiply,
    open_shares,
    reveal,
    set_up,
    verify,
    zero_shares,
)
from .output import output_shares
from .party import DEFAULT_KAPPA, MAX_CONVERSATIONS, Converse, Effect, Exchange, Party, Protocol, Statistics
from .passive import PASSIVE
from .pool import (
    BIT,
    BYTE,
    BYTE_BIT,
    DOUBLE,
    DUAL_BIT,
    SHARE,
    TRIPLE,
    Column,
    Item,
    Plan,
    Preprocessing,
    dual_integer,
    integer,
)
from .preprocessing import MAX_PLAN_ELEMENTS, preprocess, random_bits, random_integers, random_shares, reserve
from .robust import ROBUST, ZERO
from .rounds import (
    begin_conversation,
    converse,
    exchange_bytes,
    exchange_more,
    exchange_until,
    exchange_vectors,
    together,
)
from .scheme import Scheme

schemes: Final[Mapping[str, Scheme]] = MappingProxyType(
    {scheme.name: scheme for scheme in (PASSIVE, ABORT, ROBUST)}
)
"""Every scheme by its name."""

__all__ = [
    "ABORT",
    "BIT",
    "BYTE",
    "BYTE_BIT",
    "DEFAULT_KAPPA",
    "DOUBLE",
    "DUAL_BIT",
    "MAX_COMPARED_BITS",
    "MAX_CONVERSATIONS",
    "MAX_INPUT_BITS",
    "MAX_INPUT_MASKS",
    "MAX_PLAN_ELEMENTS",
    "MAX_ROUND_ELEMENTS",
    "PASSIVE",
    "ROBUST",
    "SHARE",
    "TRIPLE",
    "ZERO",
    "Bytes",
    "ClientInput",
    "ClientOutput",
    "Column",
    "Converse",
    "Deadlock",
    "Effect",
    "Exchange",
    "InconsistentShares",
    "InputFault",
    "InputKind",
    "InputMasks",
    "Item",
    "Party",
    "PartyId",
    "Plan",
    "Preprocessing",
    "Protocol",
    "Scheme",
    "Statistics",
    "VerificationFailed",
    "accept_inputs",
    "begin_conversation",
    "bits_to_bytes",
    "bits_to_integer",
    "converse",
    "decomposition",
    "draw_masks",
    "dual_bits",
    "dual_integer",
    "equal",
    "equal_plan",
    "exchange_bytes",
    "exchange_more",
    "exchange_until",
    "exchange_vectors",
    "expand",
    "inner_products",
    "integer",
    "less_than",
    "less_than_plan",
    "less_than_zero",
    "less_than_zero_plan",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "mask_count",
    "matrix_product",
    "modulo_power",
    "multiply",
    "multiply_bytes",
    "open_bytes",
    "open_shares",
    "output_shares",
    "preprocess",
    "random_bits",
    "random_byte_bits",
    "random_bytes",
    "random_integers",
    "random_shares",
    "reserve",
    "reveal",
    "run_local",
    "schemes",
    "select",
    "set_up",
    "shift_right",
    "sign_test",
    "signed_integers",
    "to_bits",
    "to_bits_plan",
    "to_byte_bits",
    "to_field_bits",
    "together",
    "verify",
    "zero_shares",
    "zero_test",
]
