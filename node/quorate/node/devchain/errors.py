"""The exceptions of quorate.node.devchain.

ChainError (quorate.node.errors)
+-- DevchainError
    +-- DevchainMissing        the optional packages are not installed
    +-- DevchainPortInUse      another process listens on the port
    +-- CannotListen           the host or port cannot be listened on
    +-- StateFileError         the state file is damaged, locked, or of another chain
    +-- DevchainStopped        the chain's process ended before it was ready
    +-- DevchainSlow           the chain's process took too long to be ready
"""

from __future__ import annotations

from pathlib import Path

from quorate.node.errors import ChainError


class DevchainError(ChainError):
    """The root of every error that this package raises on purpose."""


class DevchainMissing(DevchainError):
    """The packages of the optional extra are not installed; `package` is the first that is missing."""

    def __init__(self, package: str) -> None:
        super().__init__(
            "the embedded chain cannot start",
            why=f"the package {package!r} is not installed",
            todo="install it with  pip install 'quorate[devchain]'  or use another chain by its URL",
        )
        self.package = package


class DevchainPortInUse(DevchainError):
    """Another process listens on `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}",
            why="another process uses that port",
            todo="stop that process, or choose another port; 0 takes any free one",
        )
        self.host = host
        self.port = port


class CannotListen(DevchainError):
    """`host`:`port` cannot be listened on; `why` is the system's word."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}",
            why=why,
            todo="choose an address of this machine and a port above 1023",
        )
        self.host = host
        self.port = port


class StateFileError(DevchainError):
    """The state file `path` cannot be used."""

    def __init__(self, path: Path, why: str, todo: str) -> None:
        super().__init__(f"cannot use the state file {path}", why=why, todo=todo)
        self.path = path


class DevchainStopped(DevchainError):
    """The chain's process ended; `code` is its exit code, `output` the end of its standard error."""

    def __init__(self, code: int | None, output: str) -> None:
        super().__init__(
            f"the embedded chain stopped with exit code {code}",
            why=output.strip() or "it gave no reason",
            todo="see the reason above; run  python -m quorate.node.devchain  by hand to watch it",
        )
        self.code = code
        self.output = output


class DevchainSlow(DevchainError):
    """The chain's process was not ready after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the embedded chain was not ready after {seconds:g} s",
            why="it runs but has not said that it is ready",
            todo="the machine may be overloaded, or its state file is very long: give it more time or a new file",
        )
        self.seconds = seconds
