"""From shares that the parties hold already, say of a random secret of the MPC, to a key that signs: one round.

Every party sends x_i G to all, and checks that all n points lie on one polynomial of degree t in the exponent. Its
coefficients are the Feldman commitment of the key.

Adversary: t malicious parties of n >= 2t + 1, rushing, in a synchronous network of authenticated channels; security
with abort. The points of the t + 1 honest parties fix the polynomial, so that liars can stop it (InconsistentShares,
which names nobody) but make no honest party accept another key; they may make some accept and others stop. The key is
what was shared before: whether it is random and unknown is up to the protocol that shared it. With t + 1 liars it is
theirs.
"""

from __future__ import annotations

from quorate.protocol.curve import Curve
from quorate.protocol.errors import MalformedMessage, PartyFault, ProtocolAbort
from quorate.protocol.mpc.party import Exchange, Protocol
from quorate.protocol.sharing import MAX_PARTIES, PartyId

from .commitment import Commitment, Scheme
from .exponent import coefficients_in_exponent, open_in_exponent
from .key import KeyShare


def publish_key(
    curve: Curve, share: int, *, identity: PartyId, parties: int, threshold: int
) -> Protocol[KeyShare]:
    """This party's share of the key that `share`, modulo the order, is a share of: one round among parties 1..n.

    Raises ValueError for a threshold that needs more parties; PartyFault naming who sent no point;
    InconsistentShares when the points do not belong together; ProtocolAbort for the key 0.
    """
    if not 0 <= 2 * threshold < parties <= MAX_PARTIES or not 1 <= identity <= parties:
        raise ValueError(f"party {identity} of {parties} cannot publish a key at threshold {threshold}")
    others = [PartyId(party) for party in range(1, parties + 1) if party != identity]
    own = curve.multiply_base(share)
    replies = yield Exchange(dict.fromkeys(others, own.encode()), dict.fromkeys(others, curve.size_bytes))
    points = {identity: own}
    for party in others:
        try:
            points[party] = curve.decode(replies.get(party, b""), identity=True)
        except MalformedMessage as error:
            raise PartyFault(party, error.reason) from None
    if open_in_exponent(points, threshold=threshold).is_identity:
        raise ProtocolAbort("the shared key is 0")
    chosen = {party: points[party] for party in sorted(points)[: threshold + 1]}
    commitment = Commitment(curve, Scheme.FELDMAN, coefficients_in_exponent(chosen))
    return KeyShare(identity, share % curve.order, commitment)
