"""What this machine does with the committee's protocol: real processes, real sockets, checked results.

One process a party, all on this machine, joined by TCP over the loopback interface and carried by the node's own
driver. The bytes go in clear: what is measured is the protocol and its arithmetic, without the network and without
the encryption of a session's streams. A time is that of the fastest of several repetitions after one that warms
up: CPU time is the mean over the parties, wall time that of the slowest. What an operation preprocesses on demand
is part of it.
"""

from .committee import DEFAULT_REPEAT, Benchmark, run_benchmark
from .operations import OPERATIONS, Operation, usual_operations
from .workbench import Case, Workbench

__all__ = [
    "DEFAULT_REPEAT",
    "OPERATIONS",
    "Benchmark",
    "Case",
    "Operation",
    "Workbench",
    "run_benchmark",
    "usual_operations",
]
