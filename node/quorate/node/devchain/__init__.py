"""An embedded development chain, in a process of its own behind loopback HTTP JSON-RPC.

`python -m quorate.node.devchain --port 8545` runs it; `process.open_devchain` runs it under a trio program.
Importing this package, or `process`, brings nothing of the EVM into memory.
"""

from __future__ import annotations
