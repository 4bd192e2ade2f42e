"""A committee that meets again finds its preprocessing made, and no item serves twice, whoever is killed."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

BIDS = {"ada": 70, "bob": 101, "cyd": 140}


def found(logs):
    return [next(log.lines("preprocessing_found"), None) for log in logs.values()]


def test_the_second_session_of_a_committee_has_its_preprocessing_made(network):
    logs = network.logs()
    network.auction(**BIDS)
    network.wait_until(lambda: all(log.has("preprocessing_kept") for log in logs.values()))
    logs = network.logs()
    network.auction(**BIDS)
    entries = found(logs)
    assert all(entry is not None and entry["items"] == entry["of"] for entry in entries)


def test_a_member_that_was_killed_neither_reuses_nor_blocks_what_is_kept(network):
    logs = network.logs()
    network.auction(**BIDS)
    network.wait_until(lambda: all(log.has("preprocessing_kept") for log in logs.values()))
    network.kill("node2")
    network.restart("node2")
    logs = network.logs()
    network.auction(**BIDS)
    entries = found(logs)
    assert all(entry is not None and entry["items"] == entry["of"] for entry in entries)
