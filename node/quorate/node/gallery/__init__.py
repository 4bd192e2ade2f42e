"""A folder of programs, each run and judged: in the clear, or by a committee whose results must be the same."""

from __future__ import annotations

from .programs import Entry, find_programs
from .report import Outcome, Report, Status
from .runner import run_gallery
from .trial import Trial

__all__ = ["Entry", "Outcome", "Report", "Status", "Trial", "find_programs", "run_gallery"]
