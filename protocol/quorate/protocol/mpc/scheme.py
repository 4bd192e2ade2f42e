"""What a protocol for one adversary offers to everything that is built on it.

A scheme is a set of primitives on vectors of degree-t Shamir shares: products, inner products, openings, random
items. `passive`, `abort` and `robust` are schemes; arithmetic (comparison, fixed point, sorting, circuits) is
written once, on `operations`, and runs under each of them with the guarantees of the scheme.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from quorate.protocol.field import PrimeField, Vector

from .galois import Bytes
from .pool import Plan

if TYPE_CHECKING:
    from quorate.protocol.sharing import PartyId

    from .party import Party, Protocol


class Scheme(ABC):
    """The primitives of one adversary model; stateless: what a session needs to remember is in its `Party`."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """What programs, requests and reports call it: passive, abort or robust."""

    @abstractmethod
    def check_committee(self, parties: int, threshold: int) -> None:
        """Raise ValueError unless the scheme can withstand `threshold` of `parties`."""

    def check_field(self, field: PrimeField) -> None:
        """Raise ValueError when the field is too small for what the scheme promises."""
        del field

    @abstractmethod
    def set_up(self, party: Party) -> Protocol[None]:
        """What has to be agreed on once a session; later calls cost nothing."""

    @abstractmethod
    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        """The element-wise product of two equally long vectors of shares."""

    @abstractmethod
    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        """The inner product of each run of `length` elements of x with the same run of y."""

    @abstractmethod
    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        """The product of a matrix of `inner` columns and one of `inner` rows, both row by row in vectors."""

    @abstractmethod
    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        """The values of `x`, to everybody."""

    @abstractmethod
    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        """`count` fresh sharings of zero of degree t, which re-randomise what they are added to."""

    @abstractmethod
    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        """Add everything in `plan` to the party's pool."""

    @abstractmethod
    def verify(self, party: Party) -> Protocol[None]:
        """Make sure that everything up to now was computed correctly; nothing secret may be released before.

        Raises ProtocolAbort when it was not. A scheme that needs no such step does nothing.
        """

    def agree(self, party: Party, report: bytes) -> Protocol[Mapping[PartyId, bytes]]:
        """What the parties report, each as many bytes as `report`: one round, in which every party must answer.

        A scheme that guarantees output gives the same reports to all honest parties, those of all honest ones that
        are in time; another gives those of all parties, who may tell different parties different things.
        """
        from .rounds import exchange_reports  # rounds are written on `Party`, which has a scheme

        return (yield from exchange_reports(party, report))

    @property
    def guarantees_output(self) -> bool:
        """Whether t members that lie or are silent cannot keep the others from the result."""
        return False

    def multiplication_plan(self, party: Party, count: int) -> Plan:
        """What `count` multiplications take from the pool."""
        del party, count
        return Plan()

    def zero_plan(self, count: int) -> Plan:
        """What `count` sharings of zero take from the pool."""
        del count
        return Plan()

    @property
    def computes_on_bytes(self) -> bool:
        """Whether it offers the operations of `binary`, on shares over GF(2^8)."""
        return False

    def multiply_bytes(self, party: Party, x: Bytes, y: Bytes) -> Protocol[Bytes]:
        """The element-wise product of two equally long arrays of shares over GF(2^8).

        Raises ValueError when the scheme does not compute on bytes.
        """
        raise ValueError(f"the {self.name} scheme does not compute on bytes")

    def open_bytes(self, party: Party, x: Bytes) -> Protocol[Bytes]:
        """The values of shares over GF(2^8), to everybody; ValueError as above."""
        raise ValueError(f"the {self.name} scheme does not compute on bytes")
