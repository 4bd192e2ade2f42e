"""The virtual machine: bytecode, its binary form, and the engines that run it."""

from __future__ import annotations

from .binary import MAX_PROGRAM_BYTES, dump, load
from .disassembler import disassemble
from .engine import EngineError, Environment, Output, Secret, SecretEngine
from .engines import ClearEngine, CountingEngine, Counts, MpcEngine
from .limits import Limits, ProgramFailure
from .machine import Result
from .manifest import InputUse, ProgramManifest, manifest
from .opcodes import Opcode, ValueKind
from .program import Function, InvalidProgram, Parameter, Program
from .translate import run

__all__ = [
    "MAX_PROGRAM_BYTES",
    "ClearEngine",
    "CountingEngine",
    "Counts",
    "EngineError",
    "Environment",
    "Function",
    "InputUse",
    "InvalidProgram",
    "Limits",
    "MpcEngine",
    "Opcode",
    "Output",
    "Parameter",
    "Program",
    "ProgramFailure",
    "ProgramManifest",
    "Result",
    "Secret",
    "SecretEngine",
    "ValueKind",
    "disassemble",
    "dump",
    "load",
    "manifest",
    "run",
]
