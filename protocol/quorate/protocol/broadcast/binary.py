"""Binary agreement without synchrony: Mostefaoui, Moumen and Raynal (PODC 2014), with the step that it lacked.

Rounds, each with a common coin c; every party has an estimate e, at first its proposal:

    BVAL(e) to all;  on BVAL(b) of t + 1: BVAL(b) to all, once;  on BVAL(b) of 2t + 1: b is accepted
    AUX(b) to all, for the first accepted b;  wait for n - t AUX of accepted values
    CONF(the set of those) to all;            wait for n - t CONF of accepted values; V = the union of their sets
    only now ask for the coin c
    V = {b}: e = b, and decide b if b = c;    V = {0, 1}: e = c

Without CONF, a scheduler that sees the coin first can keep the estimates apart for ever (shown by Tholoniat and
Gramoli, 2019; the step is that of Cobalt, MacBrough 2018). With it, whichever value can still be alone in some V is
fixed before the first honest party asks for the coin.

Coins. Rounds 0, 1, 2 of every three use 1, 0, and a toss. Fixed coins cost nothing and lose no safety, which holds for
any coins at all; a unanimous committee ends without a toss. After a toss all estimates are equal with probability
1/2 or more, and then one of the next two rounds decides: the agreement ends after two tosses on average.

End. Who decides b sends FINISH(b); t + 1 FINISH(b) make anybody decide and send it; 2t + 1 let a party stop, as then
t + 1 honest parties have told everybody. All others end by that, even if they never started.

Against t malicious parties, n >= 3t + 1, no synchrony: no two honest parties decide differently, and the decision was
proposed by an honest party, whatever the coins are. If all honest parties start, and n - t parties are enough to
open a toss that t cannot foresee, all of them decide but for a probability of 2^-tosses, when the supply of tosses
is used up and the machine waits for ever. With t + 1 liars agreement is lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .coin import CoinSupply, Toss
from .effects import Send
from .machine import Machine, Seat, relabel, say_once

MOST_TOSSES: Final = 64
"""The most tosses that one agreement uses, whatever its supply holds."""
_FIXED_COINS: Final = (True, False)
_CYCLE: Final = len(_FIXED_COINS) + 1
_HEADER: Final = struct.Struct("<BBB")  # kind, round, value (for CONF the set: bit b for value b; for COIN zero)


class _Kind(IntEnum):
    BVAL = 0
    AUX = 1
    CONF = 2
    COIN = 3
    FINISH = 4


@dataclass(slots=True)
class _Round:
    """What this party heard and said in one round; `values` is V once it is fixed."""

    supporters: dict[bool, set[PartyId]] = field(default_factory=lambda: {False: set(), True: set()})
    supported: set[bool] = field(default_factory=set)  # for which this party sent BVAL
    auxiliary: dict[PartyId, bool] = field(default_factory=dict)
    confirmed: dict[PartyId, frozenset[bool]] = field(default_factory=dict)
    has_sent_auxiliary: bool = False
    has_sent_confirmation: bool = False
    values: frozenset[bool] | None = None
    toss: Toss | None = None

    def accepted(self, enough: int) -> frozenset[bool]:
        return frozenset(value for value, parties in self.supporters.items() if len(parties) >= enough)


class BinaryAgreement(Machine[bool]):
    """One agreement on a bit; `instance` names it to the supply of `coins`, alike at all parties."""

    def __init__(self, seat: Seat, *, coins: CoinSupply, instance: int = 0) -> None:
        super().__init__(seat)
        self._coins = coins
        self._instance = instance
        # After the last toss, the two fixed coins may still decide what it made unanimous.
        self._most_rounds = _CYCLE * min(coins.tosses, MOST_TOSSES) + len(_FIXED_COINS)
        self._rounds: dict[int, _Round] = {}
        self._round = -1
        self._estimate = False
        self._finishes: dict[PartyId, bool] = {}
        self._has_sent_finish = False
        self._is_halted = False

    @property
    def finished(self) -> bool:
        """Once 2t + 1 parties have said FINISH; later than the output."""
        return self._is_halted

    @property
    def is_started(self) -> bool:
        """Whether this party has proposed."""
        return self._round >= 0

    def start(self, proposal: bool) -> list[Send]:
        """Propose a value. Raises ValueError for a second call."""
        if self.is_started:
            raise ValueError("an agreement starts once")
        if not self._is_halted:
            self._enter(0, estimate=proposal)
            self._advance()
        self._round = max(self._round, 0)
        return self._flush()

    def resume(self) -> list[Send]:
        """Go on with tosses that waited for something outside of this agreement; what that sends."""
        if not self._is_halted:
            for number, state in self._rounds.items():
                if state.toss is not None:
                    self._emit_coin(number, state.toss.resume())
            self._advance()
        return self._flush()

    # Messages

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if len(message) < _HEADER.size:
            raise MalformedMessage(f"an agreement message of {len(message)} bytes")
        kind, number, value = _HEADER.unpack_from(message)
        if number >= self._most_rounds:
            raise MalformedMessage(f"round {number} of an agreement; there are {self._most_rounds}")
        body = message[_HEADER.size :]
        if kind == _Kind.COIN:
            self._handle_coin(sender, number, body)
        elif body or value > (3 if kind == _Kind.CONF else 1):
            raise MalformedMessage("an agreement message with no such value")
        elif kind == _Kind.BVAL:
            self._handle_support(sender, number, bool(value))
        elif kind == _Kind.AUX:
            say_once(self._at(number).auxiliary, sender, bool(value), what="AUX")
        elif kind == _Kind.CONF and value:
            say_once(self._at(number).confirmed, sender, _members(value), what="CONF")
        elif kind == _Kind.FINISH and number == 0:
            self._handle_finish(sender, bool(value))
        else:
            raise MalformedMessage("an agreement message of unknown kind")
        self._advance()

    def _handle_support(self, sender: PartyId, number: int, value: bool) -> None:
        """Relayed in every round, past ones too: a slower party may need it."""
        supporters = self._at(number).supporters[value]
        supporters.add(sender)
        if len(supporters) >= self.seat.one_honest:
            self._support(number, value)

    def _handle_coin(self, sender: PartyId, number: int, body: bytes) -> None:
        if number % _CYCLE < len(_FIXED_COINS):
            raise MalformedMessage(f"a coin share in round {number}, whose coin is fixed")
        toss = self._toss(number)
        self._emit_coin(number, toss.receive(sender, body))
        self._blame_all(toss.faults)

    def _handle_finish(self, sender: PartyId, value: bool) -> None:
        say_once(self._finishes, sender, value, what="FINISH")
        said = sum(1 for entry in self._finishes.values() if entry == value)
        if said >= self.seat.one_honest:
            self._decide(value)
        if said >= self.seat.mostly_honest:
            self._is_halted = True

    # Rounds

    def _at(self, number: int) -> _Round:
        return self._rounds.setdefault(number, _Round())

    def _toss(self, number: int) -> Toss:
        state = self._at(number)
        if state.toss is None:
            state.toss = self._coins.toss(self._instance, number // _CYCLE)
        return state.toss

    def _say(self, kind: _Kind, number: int, value: int) -> None:
        self._send_all(_HEADER.pack(kind, number, value))

    def _emit_coin(self, number: int, sends: Iterable[Send]) -> None:
        self._outbox.extend(relabel(_HEADER.pack(_Kind.COIN, number, 0), sends))

    def _support(self, number: int, value: bool) -> None:
        state = self._at(number)
        if value not in state.supported:
            state.supported.add(value)
            self._say(_Kind.BVAL, number, value)

    def _enter(self, number: int, *, estimate: bool) -> None:
        self._round = number
        self._estimate = estimate
        if number < self._most_rounds:
            self._support(number, estimate)

    def _decide(self, value: bool) -> None:
        if not self._has_sent_finish:
            self._has_sent_finish = True
            self._output = value
            self._say(_Kind.FINISH, 0, value)

    def _advance(self) -> None:
        """Go as far through the current round and the next ones as what was heard allows."""
        while self.is_started and self._round < self._most_rounds and not self._is_halted:
            state = self._at(self._round)
            if state.values is None:
                self._vote(state)
            if state.values is None:
                return
            coin = self._coin()
            if coin is None:
                return
            self._conclude(state.values, coin=coin)

    def _vote(self, state: _Round) -> None:
        accepted = state.accepted(self.seat.mostly_honest)
        if not accepted:
            return
        if not state.has_sent_auxiliary:
            state.has_sent_auxiliary = True
            value = self._estimate if self._estimate in accepted else next(iter(accepted))
            self._say(_Kind.AUX, self._round, value)
        auxiliary = [value for value in state.auxiliary.values() if value in accepted]
        if not state.has_sent_confirmation and len(auxiliary) >= self.seat.waited_for:
            state.has_sent_confirmation = True
            self._say(_Kind.CONF, self._round, sum(1 << value for value in set(auxiliary)))
        confirmed = [values for values in state.confirmed.values() if values <= accepted]
        if state.has_sent_confirmation and len(confirmed) >= self.seat.waited_for:
            state.values = frozenset().union(*confirmed)
            self._ask_for_coin()

    def _ask_for_coin(self) -> None:
        if self._round % _CYCLE == len(_FIXED_COINS):
            self._emit_coin(self._round, self._toss(self._round).start())

    def _coin(self) -> bool | None:
        place = self._round % _CYCLE
        return _FIXED_COINS[place] if place < len(_FIXED_COINS) else self._toss(self._round).output

    def _conclude(self, values: frozenset[bool], *, coin: bool) -> None:
        if len(values) == 2:
            self._enter(self._round + 1, estimate=coin)
            return
        (value,) = values
        if value == coin:
            self._decide(value)
        self._enter(self._round + 1, estimate=value)


def _members(mask: int) -> frozenset[bool]:
    return frozenset(value for value in (False, True) if mask >> value & 1)
