"""One network of five real nodes for all tests that break things, each of which leaves it whole again.

The network's trio loop runs in a thread of its own, so that it lives longer than a test; a test is a plain function
that calls into it. Nodes are started by byzantine_node.py: the ordinary command, which misbehaves while a file
`misdeed` in its home says how.
"""

import contextlib
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trio

from quorate.contracts import COIN
from quorate.node.chain import MarketClient, open_chain
from quorate.node.jobs import network as jobs_network
from quorate.node.jobs.packages import package_of_file, shipped_package
from quorate.node.jobs.testnet import requestor_config, testnet_accounts
from quorate.node.requestor import Terms
from quorate.node.testnet import TestnetConfig, open_testnet

FOLDER = Path(__file__).parent
QUORATE = (sys.executable, "-m", "quorate.node")
NODE = (sys.executable, str(FOLDER / "byzantine_node.py"), "node", "run", "--stop-with-stdin", "--home")
NODES = 5
PRICES = (10**14, 2 * 10**14, 15 * 10**13, 12 * 10**13, 3 * 10**14)
MAX_PRICE = 10**16
COLLATERAL = 10**16 + 1
WAIT_S = 90
POLL_S = 0.02

LONG_PROGRAM = """
def main() -> int64:
  var best = ClientStore.take_share(0, 0)
  var other = ClientStore.take_share(1, 0)
  for i in range(150):
    best = select(best < other, other + i, best - i)
  best.send_to_client(0)
  best.send_to_client(1)
  return 0
"""
"""A chain of dependent comparisons: many random bits to make first, many rounds afterwards."""


def quorate(*arguments, environment=None, stdin=subprocess.DEVNULL, timeout=150, before=None):
    """Run the command line to its end."""
    return subprocess.run(
        [*QUORATE, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=stdin,
        check=False,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
        preexec_fn=before,
    )


def wait_until(condition, seconds=WAIT_S):
    """Poll for a state that other processes bring about; fails the test if it never comes."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(POLL_S)
    return found


class Log:
    """The lines of one node's log, from now on."""

    def __init__(self, path):
        self.path = path
        self.start = path.stat().st_size

    def text(self):
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read().decode()

    def lines(self, event=None, **fields):
        wanted = {**fields, **({"event": event} if event else {})}
        for line in self.text().splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if all(entry.get(name) == value for name, value in wanted.items()):
                    yield entry

    def has(self, event, **fields):
        return next(self.lines(event, **fields), None) is not None


class SharedNetwork:
    """A running testnet, called from other threads."""

    def __init__(self, home):
        self.home = home
        self.testnet = None
        self.failures = {}
        self._token = None
        self._end = None
        self._pool = ThreadPoolExecutor(max_workers=2)
        self._outcome = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="testnet")

    def start(self):
        self._thread.start()
        error = self._outcome.get(timeout=240)
        if error is not None:
            raise error

    def stop(self):
        self._token.run_sync_soon(self._end.set)
        self._thread.join(timeout=120)
        self._pool.shutdown()

    def _run(self):
        try:
            trio.run(self._live)
        except BaseException as error:
            self._outcome.put(error)

    async def _live(self):
        self._token, self._end = trio.lowlevel.current_trio_token(), trio.Event()
        config = TestnetConfig(home=self.home, nodes=NODES, base_prices=PRICES, node_command=NODE)
        async with open_testnet(config) as self.testnet:
            self._outcome.put(None)
            await self._end.wait()

    def do(self, function, *arguments, **options):
        """Call an async function in the network's loop and return its result."""
        work = functools.partial(function, *arguments, **options)
        return trio.from_thread.run(work, trio_token=self._token)

    # --- what tests do

    @property
    def config(self):
        return requestor_config(self.testnet.network)

    @property
    def names(self):
        """Node names by account."""
        return {account: name for name, account in testnet_accounts(self.testnet.network).items()}

    def terms(self, **changes):
        given = {"bidding_s": 20, "working_s": 60, "max_price": MAX_PRICE, "collateral": COLLATERAL}
        return Terms(**{"parties": NODES, "threshold": 1, **given, **changes})

    def request(self, package, inputs, *, terms=None, withhold=(), config=None, progress=lambda _: None):
        """Run a request to its end; the job, or what it raises. `failures` has the errors of the clients then."""
        network = self.testnet.network
        return self.do(
            jobs_network.run_on_network,
            config or self.config,
            package,
            inputs,
            terms=terms or self.terms(),
            progress=progress,
            accounts=testnet_accounts(network),
            folder=self.home,
            withhold=frozenset(withhold),
        )

    def begin(self, *arguments, **options):
        """Start a request; a future with its job or error."""
        return self._pool.submit(self.request, *arguments, **options)

    def auction(self, **bids):
        """A whole auction, as a check that the network serves."""
        return self.request(shipped_package("second-price-auction@1.0.0"), {k: (v,) for k, v in bids.items()})

    def free(self):
        """What every account has free in the market, by name, the treasury's too."""
        return self.do(self._free)

    async def _free(self):
        network = self.testnet.network
        async with open_chain(network.chain_url) as chain:
            market = MarketClient(chain, bytes.fromhex(network.market[2:]))
            accounts = {**testnet_accounts(network), "treasury": await market.treasury()}
            return {name: await market.free_balance(COIN, account) for name, account in accounts.items()}

    def log(self, name):
        return Log(self.testnet.node(name).log)

    wait_until = staticmethod(wait_until)

    def logs(self):
        return {node.name: self.log(node.name) for node in self.testnet.nodes}

    def signal(self, name, number):
        self.testnet.child(name).send_signal(number)

    def kill(self, name):
        self.do(self.testnet.kill, name)

    def restart(self, name):
        self.do(self.testnet.restart, name)

    def misbehave(self, name, misdeed):
        (self.testnet.node(name).home / "misdeed").write_text(misdeed)

    def heal(self):
        """Make the network whole: nobody misbehaves, sleeps, or is dead."""
        for node in self.testnet.nodes:
            (node.home / "misdeed").unlink(missing_ok=True)
            self.signal(node.name, signal.SIGCONT)
            if self.testnet.child(node.name).status is not None:
                self.restart(node.name)


@pytest.fixture(scope="session")
def shared_network(tmp_path_factory):
    network = SharedNetwork(tmp_path_factory.mktemp("net"))
    network.start()
    yield network
    network.stop()


@pytest.fixture
def network(shared_network, monkeypatch):
    """The shared network, whole before and after the test."""
    shared_network.failures.clear()

    async def await_result(job, name, process):
        await plain(job, name, process)
        shared_network.failures.update(job.failures)

    plain = jobs_network._await_result
    monkeypatch.setattr(jobs_network, "_await_result", await_result)
    yield shared_network
    shared_network.heal()


@pytest.fixture
def cli():
    return quorate


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def long_package(tmp_path):
    path = tmp_path / "long-way.stfl"
    path.write_text(LONG_PROGRAM)
    return package_of_file(path, {"alice": (1,), "bob": (2,)})
