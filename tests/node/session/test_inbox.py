"""Where clients meet a session: masks out once, inputs in once."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from quorate.node.session.inbox import ClientInbox, InputClosed
from quorate.node.session.messages import MAX_INPUT_BYTES
from quorate.protocol.mpc import InputMasks

BODY, OTHER = b"\x01" * 64, b"\x02" * 64


def masks(*clients):
    return [InputMasks(client, (), None) for client in clients]


def published(counts):
    inbox = ClientInbox(counts)
    inbox.publish(masks(*counts), {client: bytes([client]) * 64 for client in counts})
    return inbox


async def test_masks_are_waited_for_and_given_to_their_client():
    inbox = ClientInbox({0: 2, 1: 2})
    got = {}

    async def fetch(client):
        got[client] = await inbox.masks_of(client)

    async with trio.open_nursery() as nursery:
        for client in (0, 1):
            nursery.start_soon(fetch, client)
        await wait_all_tasks_blocked()
        assert got == {}
        inbox.publish(masks(0, 1), {0: b"zero", 1: b"one"})
    assert got == {0: b"zero", 1: b"one"}


def test_masks_must_be_those_of_the_clients():
    with pytest.raises(ValueError, match="other clients"):
        ClientInbox({0: 2, 1: 2}).publish(masks(0), {0: b""})


async def test_a_client_that_gives_no_input_gets_no_masks():
    inbox = published({0: 2})
    with pytest.raises(KeyError):
        await inbox.masks_of(1)
    with pytest.raises(KeyError):
        inbox.put(1, BODY)


async def test_masks_are_given_again_until_the_input_is_there_and_never_after():
    inbox = published({0: 2, 1: 2})
    assert await inbox.masks_of(0) == await inbox.masks_of(0)
    inbox.put(0, BODY)
    with pytest.raises(InputClosed, match="until the input"):
        await inbox.masks_of(0)
    await inbox.masks_of(1)
    inbox.close()
    with pytest.raises(InputClosed):
        await inbox.masks_of(1)


def test_the_same_input_again_is_taken_as_the_same_and_another_is_refused():
    inbox = published({0: 2})
    assert inbox.put(0, BODY)
    assert not inbox.put(0, BODY)
    with pytest.raises(InputClosed, match="another masked input") as refused:
        inbox.put(0, OTHER)
    assert "2" * 8 not in str(refused.value)
    assert inbox.close() == {0: BODY}


@pytest.mark.parametrize("size", [0, 32, 63, 65, 96, MAX_INPUT_BYTES + 32])
def test_an_input_has_its_exact_size(size):
    inbox = published({0: 2})
    with pytest.raises(InputClosed, match="bytes"):
        inbox.put(0, bytes(size))
    assert inbox.missing() == [0]


def test_no_input_before_its_masks_nor_after_the_end():
    early = ClientInbox({0: 2})
    with pytest.raises(InputClosed, match="not taken now"):
        early.put(0, BODY)
    late = published({0: 2, 1: 2})
    late.put(1, BODY)
    assert late.close() == {1: BODY}
    with pytest.raises(InputClosed, match="not taken now"):
        late.put(0, BODY)
    assert not late.put(1, BODY)
    assert late.missing() == [0]


async def test_complete_when_the_last_input_came():
    inbox = published({0: 2, 1: 2})
    inbox.put(0, BODY)
    with trio.move_on_after(0.01) as scope:
        await inbox.wait_complete()
    assert scope.cancelled_caught
    inbox.put(1, BODY)
    await inbox.wait_complete()


async def test_without_clients_nothing_is_waited_for():
    await ClientInbox({}).wait_complete()


def test_digests_are_sha256():
    assert ClientInbox.digest(b"").hex().startswith("e3b0c442")
