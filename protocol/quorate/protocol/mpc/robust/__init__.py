"""Malicious security with guaranteed output: t < n/3, openings that need no particular party, faults localised.

Adversary: static, malicious, t of n >= 3t + 1 parties; they may send anything or nothing, and see the others' messages
of a round first. t parties learn nothing but what is opened. Channels are private, authenticated and ordered.

Online (products, openings) the network is asynchronous: an opening ends once enough shares that agree have come, and
no t parties can stop it or change its value. Preprocessing needs deadlines: messages between honest parties must take
no longer than DEALING_DEADLINE_MS. Who is later counts as corrupted, and the corrupted and the late ones together must
be at most t, for correctness and for secrecy. Faults in preprocessing are localised, and it goes on without the
culprits, so that at most t segments of work are lost. So computing waits for nobody from the moment at which
everything is in the pool; what is made on demand depends on the deadlines again.

A party that was excluded with one whom it contradicts may be honest. It holds no shares of what is made later, but it
goes on to learn what is opened.

With more than t corrupted parties nothing is promised: t + 1 read everything, and results may be wrong.

See `opening`, `multiplication`, `dealing`, `products` and `agreement`.
"""

from .agreement import AGREEMENT_DEADLINE_MS
from .dealing import DEALING_DEADLINE_MS
from .opening import PACKED_FROM_ELEMENTS, PACKED_FROM_PARTIES, open_directly, open_packed, open_robustly
from .production import ZERO
from .scheme import LEAST_FIELD_BITS, ROBUST, Robust

__all__ = [
    "AGREEMENT_DEADLINE_MS",
    "DEALING_DEADLINE_MS",
    "LEAST_FIELD_BITS",
    "PACKED_FROM_ELEMENTS",
    "PACKED_FROM_PARTIES",
    "ROBUST",
    "ZERO",
    "Robust",
    "open_directly",
    "open_packed",
    "open_robustly",
]
