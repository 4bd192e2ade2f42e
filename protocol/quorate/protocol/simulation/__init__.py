"""Whole committees in one process under a virtual clock and a seed: delays, crashes, lost links, tampering."""

from .committee import MAX_EVENTS, Crashed, Failed, Finished, Outcome, Simulation, simulate
from .faults import Crash, Disconnect, Fault, Lie, Mute, Network, Partition, Stall, Tamper
from .randomness import SeededRandomness, simulated_committee
from .trace import Happening, TraceEvent

__all__ = [
    "MAX_EVENTS",
    "Crash",
    "Crashed",
    "Disconnect",
    "Failed",
    "Fault",
    "Finished",
    "Happening",
    "Lie",
    "Mute",
    "Network",
    "Outcome",
    "Partition",
    "SeededRandomness",
    "Simulation",
    "Stall",
    "Tamper",
    "TraceEvent",
    "simulate",
    "simulated_committee",
]
