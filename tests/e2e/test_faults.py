"""Members that die, freeze or lie while a request is under way: everybody gets back what is theirs."""

import signal

import pytest

from quorate.contracts import RequestState
from quorate.node.requestor import NoCommittee, RequestFailed

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

INPUTS = {"alice": (120,), "bob": (95,)}
VICTIM = "node3"
MAX_PRICE = 10**16
COLLATERAL = 10**16 + 1  # odd: the halves differ


def check_fault(error, network, before, *, accused):
    """The request failed in time by the fault of `accused`, and all amounts are where they belong."""
    assert isinstance(error, RequestFailed), error
    outcome = error.outcome
    assert outcome.state is RequestState.FAULTED
    assert network.names.get(outcome.accused, "nobody") == accused
    assert "escrow is back" in error.why
    after = network.free()
    changes = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    if accused == "nobody":
        assert changes == {"requestor": MAX_PRICE}
        return
    half = COLLATERAL // 2
    assert changes == {"requestor": MAX_PRICE + half, accused: -COLLATERAL, "treasury": COLLATERAL - half}


def check_serves(network):
    """The same network, through the library, holds an auction with a tie and pays for it."""
    job = network.auction(alice=120, bob=120)
    assert job.outcome.state is RequestState.FULFILLED
    assert {name: result["outputs"] for name, result in job.results.items()} == {
        "alice": [0, 120],
        "bob": [0, 120],
    }
    changes = {name: job.after[name].market - job.before[name].market for name in job.after}
    paid = {network.names[member.account]: member.price for member in job.outcome.members}
    assert changes == {**paid, "requestor": MAX_PRICE - sum(paid.values())}
    assert job.outcome.paid == sum(paid.values())
    assert [use.action for use in job.outcome.gas] == ["submit", "lock", "fulfil"]


def fail_while(network, package, fault, event, **fields):
    """Start a request, bring about `fault` when the victim's log says `event`, and return how the request ended."""
    log = network.log(VICTIM)
    request = network.begin(package, INPUTS)
    network.wait_until(lambda: request.done() or log.has(event, **fields))
    assert log.has(event, **fields), request.exception()
    fault()
    return request.exception(timeout=100)


def test_a_node_is_killed_after_its_bid_and_before_the_lock(network, long_package):
    """The requestor has chosen it and cannot know: it never comes to the session."""
    before = network.free()

    def kill_at_the_lock(step):
        if step == "lock":
            network.signal(VICTIM, signal.SIGKILL)

    error = network.begin(long_package, INPUTS, progress=kill_at_the_lock).exception(timeout=100)
    check_fault(error, network, before, accused=VICTIM)
    network.restart(VICTIM)


@pytest.mark.parametrize("phase", ["connect", "inputs"], ids=["preprocessing", "online"])
def test_a_node_is_killed(network, long_package, phase):
    """The tests that follow show that the network serves again once the node is back."""
    before = network.free()
    error = fail_while(network, long_package, lambda: network.kill(VICTIM), "phase_done", phase=phase)
    check_fault(error, network, before, accused=VICTIM)
    network.restart(VICTIM)


def test_a_node_freezes_and_the_network_serves_on(network, long_package):
    before = network.free()

    def freeze():
        network.signal(VICTIM, signal.SIGSTOP)

    error = fail_while(network, long_package, freeze, "phase_done", phase="connect")
    check_fault(error, network, before, accused=VICTIM)
    network.signal(VICTIM, signal.SIGCONT)
    check_serves(network)


def test_too_few_nodes_bid(network, long_package):
    before = network.free()
    network.kill(VICTIM)
    with pytest.raises(NoCommittee, match="escrow is back"):
        network.request(long_package, INPUTS, terms=network.terms(bidding_s=8))
    after = network.free()
    assert after == {**before, "requestor": before["requestor"] + MAX_PRICE}


@pytest.mark.parametrize("misdeed", ["garbage", "oversized", "epoch", "replay"])
def test_a_member_breaks_the_protocol(network, long_package, misdeed):
    before, logs = network.free(), network.logs()
    network.misbehave(VICTIM, misdeed)
    error = network.begin(long_package, INPUTS).exception(timeout=100)
    check_fault(error, network, before, accused=VICTIM)
    party = next(logs[VICTIM].lines("session_begun"))["party"]
    named = [name for name, log in logs.items() if list(log.lines("session_failed", accused=party))]
    assert len(set(named) - {VICTIM}) >= 2
    if misdeed != "garbage":  # which ends a session before every client has found it
        assert set(network.failures) == set(INPUTS)
    assert all("faulted" in str(failure.why) for failure in network.failures.values())


def test_a_client_that_never_comes_is_named_and_nobody_pays(network, long_package):
    before = network.free()
    terms = network.terms(bidding_s=8, working_s=20)
    error = network.begin(long_package, INPUTS, terms=terms, withhold=["bob"]).exception(timeout=100)
    check_fault(error, network, before, accused="nobody")
    assert "client bob sent no input" in error.why
