"""Options that several commands about programs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PathArgument = Annotated[
    Path | None, typer.Argument(metavar="[PATH]", help="A program file, or a folder in a project; else this one.")
]
LevelOption = Annotated[
    int | None, typer.Option("-O", "--opt-level", min=0, max=3, help="The level of the optimiser, 0 to 3.")
]
PartiesOption = Annotated[int | None, typer.Option("--parties", help="The size of the committee, n.")]
ThresholdOption = Annotated[int | None, typer.Option("--threshold", help="How many members may collude.")]
ProtocolOption = Annotated[str | None, typer.Option("--protocol", help="passive, abort or robust.")]
FieldOption = Annotated[
    str | None, typer.Option("--field", help="bn254, bls12-381 or secp256k1; programs about a curve need its own.")
]
ClientInputOption = Annotated[
    list[str] | None,
    typer.Option("--client-input", help="Values of the client in a slot: 0=120 or 0=1,2.5,true; repeat."),
]
ReceiversOption = Annotated[
    int | None,
    typer.Option("--expected-output-clients", min=0, help="How many clients receive; else all that there are."),
]
EntryOption = Annotated[str, typer.Option("--entry", help="The function that is run.")]
