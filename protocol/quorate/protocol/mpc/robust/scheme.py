"""The scheme `robust`: the primitives of the package as `Scheme` asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import DOUBLE, Plan
from quorate.protocol.mpc.preprocessing import reserve
from quorate.protocol.mpc.scheme import Scheme
from quorate.protocol.sharing import PartyId

from . import multiplication
from .agreement import agree_on_reports
from .opening import open_robustly
from .production import ZERO, produce

LEAST_FIELD_BITS: Final = 128
"""The smallest modulus in bits: what is wrong in preprocessing then passes with a probability below 2^-80."""


class Robust(Scheme):
    """Malicious security for t < n/3 with output guaranteed; see the package."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name, robust."""
        return "robust"

    def check_committee(self, parties: int, threshold: int) -> None:
        """Two thirds of the committee are honest: raises ValueError unless 3t + 1 <= n."""
        if threshold < 0 or 3 * threshold >= parties:
            raise ValueError(f"threshold {threshold} needs {3 * threshold + 1} parties")

    def check_field(self, field: PrimeField) -> None:
        """Wrong dealings must not pass: raises ValueError for a field smaller than LEAST_FIELD_BITS."""
        if field.modulus.bit_length() < LEAST_FIELD_BITS:
            raise ValueError(
                f"{field.name} has {field.modulus.bit_length()} bits; the robust scheme needs {LEAST_FIELD_BITS}"
            )

    def set_up(self, party: Party) -> Protocol[None]:
        """Nothing to agree on."""
        del party
        yield from ()

    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        """Two openings in one batch and a triple; with n >= 4t + 1 one opening and a double sharing."""
        return (yield from multiplication.multiply(party, x, y))

    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        """As `length` multiplications in one batch; with n >= 4t + 1 as one."""
        return (yield from multiplication.inner_products(party, x, y, length=length))

    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        """As `inner` multiplications for each element of the result, in common rounds; with n >= 4t + 1 as one."""
        return (yield from multiplication.matrix_product(party, x, y, inner=inner))

    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        """One round, or two for a packed batch; no t parties can stop it or make it wrong."""
        return (yield from open_robustly(party, x, degree=party.threshold))

    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        """From the pool, or made on demand."""
        yield from reserve(party, Plan({ZERO: count}))
        return party.pool.take(ZERO, count)

    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        """Bits, doubles, integers, shares, triples and zeros; other items are refused with ValueError."""
        yield from produce(party, plan)

    def verify(self, party: Party) -> Protocol[None]:
        """Nothing: every step is correct when it ends."""
        del party
        yield from ()

    def agree(self, party: Party, report: bytes) -> Protocol[Mapping[PartyId, bytes]]:
        """The reports of all honest holders of shares that are in time, the same ones everywhere; of 64 KiB at most.

        Nobody waits for an excluded party, and no envelope of one counts: it has no right shares.
        """
        reports = yield from agree_on_reports(party, party.holders, report)
        return {speaker: own for speaker, own in reports.items() if len(own) == len(report)}

    @property
    def guarantees_output(self) -> bool:
        """Yes."""
        return True

    def multiplication_plan(self, party: Party, count: int) -> Plan:
        """A triple each; with n >= 4t + 1 a double sharing."""
        local = multiplication.has_local_products(party.parties, party.threshold)
        return Plan({DOUBLE: count}) if local else Plan(triples=count)

    def zero_plan(self, count: int) -> Plan:
        """One zero each."""
        return Plan({ZERO: count})


ROBUST: Final = Robust()
"""The scheme."""
