"""`quorate client`: give an input to a request that names this home's keys, and get the output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from .output import HomeOption, JsonOption, node_home, print_json, print_pairs

if TYPE_CHECKING:
    from quorate.node.clients import ClientResult
    from quorate.node.config import NodeConfig

MAX_STDIN_BYTES = 1 << 20

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Take part in a request as a client.")


@app.callback()
def group() -> None:
    """Take part in a request as a client: give an input, get an output."""


@app.command()
def join(
    program: Annotated[str, typer.Argument(help="The program: name@version or a content hash.")],
    value: Annotated[list[int] | None, typer.Option("--value", help="A value; repeat for more.")] = None,
    home: HomeOption = None,
    request: Annotated[str | None, typer.Option(help="Only this request (its id in hexadecimal).")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the request and its result.")] = 300.0,
    values_from_stdin: Annotated[
        bool, typer.Option("--values-from-stdin", help="Read a JSON list of values; stop when stdin closes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Wait for a request on PROGRAM that names this home's keys, give the values, and print the output.

    A value on the command line can be seen by other users of the machine: prefer --values-from-stdin.
    """
    import trio

    from quorate.node.config import load_config
    from quorate.node.log import configure_logging

    config = load_config(node_home(home))
    configure_logging(config.log)
    values: Sequence[int] = value or ()
    if values_from_stdin:
        from quorate.node.leash import hold_leash

        values = _read_values()
        hold_leash()
    request_id = _request_id(request)
    result = trio.run(_join, config, program, values, timeout, request_id, as_json)
    if as_json:
        print_json(_result_json(result))
    elif result is None:
        typer.echo("The input was given; this client receives no output.")
    else:
        print_pairs(
            [
                ("request", f"0x{result.request_id.hex()}"),
                ("output", ", ".join(map(str, result.values))),
                ("public result", result.public_result),
            ]
        )


async def _join(
    config: NodeConfig,
    program: str,
    values: Sequence[int],
    timeout_s: float,
    request_id: bytes | None,
    as_json: bool,
) -> ClientResult | None:
    from quorate.node.clients import take_part
    from quorate.node.kernels import load_kernels
    from quorate.node.light import open_light_node

    async with open_light_node(config, sends=False) as node:
        await node.programs.load(program)
        await load_kernels()
        if as_json:
            print_json({"event": "ready", "peer_id": node.mesh.peer_id})
            sys.stdout.flush()
        return await take_part(node, program=program, values=values, timeout_s=timeout_s, request_id=request_id)


def _read_values() -> list[int]:
    from quorate.node.errors import UsageError

    line = sys.stdin.readline(MAX_STDIN_BYTES)
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(type(entry) is int for entry in values):
        raise UsageError("standard input holds no values", why="the first line must be a JSON list of integers")
    return values


def _request_id(text: str | None) -> bytes | None:
    from quorate.node.errors import UsageError

    if text is None:
        return None
    try:
        request_id = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        request_id = b""
    if len(request_id) != 32:
        raise UsageError(f"{text[:80]} is no request id", why="a request id is 32 bytes in hexadecimal")
    return request_id


def _result_json(result: ClientResult | None) -> object:
    if result is None:
        return {"outputs": None}
    return {
        "request_id": f"0x{result.request_id.hex()}",
        "client": result.client,
        "name": result.name,
        "outputs": list(result.values),
        "public_result": result.public_result,
        "result_digest": f"0x{result.result_digest.hex()}",
        "wrong_parties": list(result.wrong_parties),
    }
