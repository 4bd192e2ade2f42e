"""The root of the command line: a table of commands and a group that loads each when it is called."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Final = {
    "demo": "Start a local network, run private programs on it, and pay for them.",
    "run": "Run a program on a committee and print its result.",
    "init": "Make a project.",
    "check": "Check a program or a project without writing anything.",
    "build": "Compile a project into its target folder.",
    "compile": "Compile, disassemble, cost or bind one program.",
    "test": "Run the tests of a project, in the clear and by a committee.",
    "dev": "Check and test a project whenever one of its files changes.",
    "fmt": "Lay programs out.",
    "status": "What a project is, and whether it is in order.",
    "clean": "Remove what was built.",
    "update": "Move a project to the newest versions of the programs it names.",
    "gallery": "Run a folder of programs and report which pass.",
    "program": "Check, format and inspect programs.",
    "node": "Make, run and inspect a node.",
    "testnet": "A whole network on this machine: a chain and several nodes.",
    "client": "Take part in a request as a client: give an input, get an output.",
    "account": "The balance of a home: on the chain and in the market.",
    "registry": "Publish, find and fetch programs.",
    "devchain": "A development chain on this machine.",
    "bench": "Measure what this machine does.",
    "warm": "Compile the numeric kernels now instead of at first use.",
}
"""The commands by name, each a module of this package, with the line that the overview shows."""


class _LazyGroup(TyperGroup):
    """A group whose commands are placeholders until one of them is resolved for a call or a completion."""

    def __init__(self, **attributes: Any) -> None:  # Any: what Typer passes to its group classes
        super().__init__(**attributes)
        for name, line in COMMANDS.items():
            if importlib.util.find_spec(f"{__package__}.{name}") is not None:
                self.add_command(TyperCommand(name, help=line), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: Typer keeps its Context class private
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS and type(command) is TyperCommand and command.callback is None:
            command = self._load(name)
            self.add_command(command, name)
        return name, command, rest

    def _load(self, name: str) -> Any:  # Any: Typer keeps its Command class private
        module = importlib.import_module(f"{__package__}.{name}")
        command = typer.main.get_command(module.app)
        command.name = name
        return command


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"quorate {version('quorate')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run a program on inputs that nobody sees, and pay for the result on an EVM chain."""
