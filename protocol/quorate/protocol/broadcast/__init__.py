"""Agreement without synchrony, for n >= 3t + 1 parties of which t may be malicious: broadcast, bits, sets.

Every protocol is a machine: `start` takes this party's input, `receive` a peer's message, both return what to send;
`output` is what it delivered. See `machine` for the model, and each module for its protocol, its adversary and what
happens beyond it.
"""

from .binary import MOST_TOSSES, BinaryAgreement
from .bracha import MOST_PAYLOAD_BYTES, ReliableBroadcast
from .coded import CodedBroadcast
from .coin import CoinSupply, ShareCoins, ShareToss, Toss
from .dispersal import Dispersal, Dispersed, Retrieval, Retrieved
from .effects import Send
from .erasure import ErasureCode
from .machine import Machine, Seat
from .mux import MOST_EARLY_BYTES, MOST_EARLY_MESSAGES, MOST_INSTANCES, MOST_TAG_BYTES, Mux
from .opening import Opened, open_online
from .pieces import MOST_CODED_BYTES
from .subset import CommonSubset, SetAgreement

__all__ = [
    "MOST_CODED_BYTES",
    "MOST_EARLY_BYTES",
    "MOST_EARLY_MESSAGES",
    "MOST_INSTANCES",
    "MOST_PAYLOAD_BYTES",
    "MOST_TAG_BYTES",
    "MOST_TOSSES",
    "BinaryAgreement",
    "CodedBroadcast",
    "CoinSupply",
    "CommonSubset",
    "Dispersal",
    "Dispersed",
    "ErasureCode",
    "Machine",
    "Mux",
    "Opened",
    "ReliableBroadcast",
    "Retrieval",
    "Retrieved",
    "Seat",
    "Send",
    "SetAgreement",
    "ShareCoins",
    "ShareToss",
    "Toss",
    "open_online",
]
