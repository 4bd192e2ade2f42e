"""`quorate account`: what a home owns on the chain and in the market, and moving it between the two."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .output import HomeOption, JsonOption, node_home, print_json, print_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from quorate.node.chain import MarketClient, TransactionResult

Output = TypeVar("Output")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The balance of a home.")

AmountArgument = Annotated[str, typer.Argument(help='An amount, as in "0.5 ether" or 1000000.')]


@app.command()
def balance(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what the account has on the chain, and what lies free in the market."""

    async def read(market: MarketClient, account: bytes) -> tuple[int, int]:
        from quorate.contracts import COIN

        return await market.chain.balance(account), await market.free_balance(COIN, account)

    on_chain, free = _with_market(node_home(home), read, sends=False)
    if as_json:
        print_json({"chain_wei": on_chain, "market_wei": free})
        return
    from quorate.node.amounts import format_amount

    print_pairs([("on the chain", format_amount(on_chain)), ("free in the market", format_amount(free))])


@app.command()
def deposit(amount: AmountArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Move AMOUNT from the account into the market, as collateral for bids or as escrow."""
    _move(node_home(home), amount, "deposit", as_json=as_json)


@app.command()
def withdraw(amount: AmountArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Move AMOUNT from the market back to the account."""
    _move(node_home(home), amount, "withdraw", as_json=as_json)


def _move(home: Path, amount: str, action: str, *, as_json: bool) -> None:
    from quorate.contracts import COIN
    from quorate.node.amounts import parse_amount
    from quorate.node.errors import UsageError

    try:
        wei = int(parse_amount(amount))
    except ValueError as error:
        raise UsageError(f"{amount!r} is no amount", why=str(error), todo='write it like "0.5 ether"') from None

    async def send(market: MarketClient, account: bytes) -> TransactionResult:
        intent = f"{action} {secrets.token_hex(8)}"
        if action == "deposit":
            return await market.deposit(COIN, wei, intent=intent)
        return await market.withdraw(COIN, wei, intent=intent)

    result = _with_market(home, send, sends=True)
    if as_json:
        print_json({"transaction": f"0x{result.hash.hex()}", "gas_used": result.gas_used})
    else:
        typer.echo(f"Done in transaction 0x{result.hash.hex()}, {result.gas_used} gas.")


def _with_market(home: Path, work: Callable[[MarketClient, bytes], Awaitable[Output]], *, sends: bool) -> Output:
    """Do `work` with the market of `home`.

    The journal of transactions has one user: while the node runs, JournalInUse says so.
    """
    import trio

    from quorate.node.chain import MarketClient, Signer, open_chain, open_sender
    from quorate.node.config import load_config
    from quorate.node.daemon import TRANSACTIONS_FILE, sender_policy
    from quorate.node.home import open_keys
    from quorate.node.log import configure_logging

    config = load_config(home)
    configure_logging(dataclasses.replace(config.log, level="warning"))
    keys = open_keys(config)

    async def run() -> Output:
        async with open_chain(config.chain.url, expected_chain_id=config.chain.chain_id) as chain:
            market = MarketClient(chain, config.chain.market_bytes)
            await market.check()
            if not sends:
                return await work(market, keys.chain.account)
            path = home / TRANSACTIONS_FILE
            async with open_sender(
                chain, Signer(keys.chain), journal_path=path, policy=sender_policy(config)
            ) as sender:
                market.sender = sender
                return await work(market, keys.chain.account)

    return trio.run(run)
