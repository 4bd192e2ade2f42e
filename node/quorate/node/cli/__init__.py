"""The command line: `quorate`. Each command is a module of this package with a Typer named `app`, loaded on use.

Starting must be quick, so the root knows names and one-line helps only; a module that is not there is not shown.
"""

from __future__ import annotations

from .errors import main
from .root import app

__all__ = ["app", "main"]
