from __future__ import annotations

from hypothesis import settings

# The same examples on every run, and no example fails because the machine was busy.
settings.register_profile("quorate", deadline=None, derandomize=True)
settings.load_profile("quorate")
