"""A robust committee finishes, and is paid, whatever happens to t of its members."""

import signal

import pytest

from quorate.contracts import RequestState

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

INPUTS = {"alice": (120,), "bob": (95,)}
VICTIM = "node3"


def robust(network):
    return network.terms(protocol="robust")


def check_finished(job, before, network):
    """The request was fulfilled, every client has its output, and the members are paid."""
    assert job.outcome.state is RequestState.FULFILLED
    assert set(job.results) == set(INPUTS)
    outputs = {name: result["outputs"] for name, result in job.results.items()}
    assert outputs["alice"] == outputs["bob"]
    assert network.free()["node1"] > before["node1"]


@pytest.mark.parametrize(("phase", "is_killed"), [("connect", True), ("inputs", False)], ids=["killed", "frozen"])
def test_a_member_goes_away(network, long_package, phase, is_killed):
    before, log = network.free(), network.log(VICTIM)
    request = network.begin(long_package, INPUTS, terms=robust(network))
    network.wait_until(lambda: request.done() or log.has("phase_done", phase=phase))
    if is_killed:
        network.kill(VICTIM)
    else:
        network.signal(VICTIM, signal.SIGSTOP)
    check_finished(request.result(timeout=150), before, network)


def test_a_member_that_was_chosen_never_comes(network, long_package):
    def kill_at_the_lock(step):
        if step == "lock":
            network.signal(VICTIM, signal.SIGKILL)

    before = network.free()
    request = network.begin(long_package, INPUTS, terms=robust(network), progress=kill_at_the_lock)
    check_finished(request.result(timeout=150), before, network)
    network.restart(VICTIM)


def test_a_member_sends_garbage(network, long_package):
    before = network.free()
    network.misbehave(VICTIM, "garbage")
    request = network.begin(long_package, INPUTS, terms=robust(network))
    check_finished(request.result(timeout=150), before, network)
