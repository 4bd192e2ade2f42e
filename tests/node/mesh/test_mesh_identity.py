"""Peer ids without libp2p, held against libp2p's own; addresses and whom to believe; limits as plain machines."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.node.mesh import (
    AddressInvalid,
    InboundLimits,
    Mesh,  # noqa: F401  # quiets the import of libp2p
    peer_id_of,
    peer_id_of_private,
    public_key_of,
    public_key_of_private,
)
from quorate.node.mesh.addresses import Reach, believable, expand_wildcard, listen_address, reach_of, split_address
from quorate.node.mesh.admission import InboundGate
from quorate.node.mesh.discovery import AddressBook
from quorate.node.mesh.mdns import decode_entries, encode_entries
from quorate.node.mesh.rate import RateLimit

from libp2p.crypto.ed25519 import Ed25519PublicKey  # isort: skip
from libp2p.peer.id import ID  # isort: skip

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@given(st.binary(min_size=32, max_size=32))
def test_peer_ids_are_libp2p_s(key: bytes) -> None:
    peer = peer_id_of(key)
    assert peer == str(ID.from_pubkey(Ed25519PublicKey.from_bytes(key)))
    assert public_key_of(peer) == key


@given(st.text(max_size=70))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        assert peer_id_of(public_key_of(text)) == text
    except AddressInvalid:
        return


def test_private_keys() -> None:
    private = bytes(range(32))
    assert peer_id_of_private(private) == peer_id_of(public_key_of_private(private))
    with pytest.raises(AddressInvalid):
        peer_id_of(b"short")


def test_importing_the_mesh_does_not_import_libp2p() -> None:
    code = "import sys, quorate.node.mesh, quorate.node.channel; sys.exit('libp2p' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_addresses() -> None:
    transport, peer = split_address(f"/dns4/example.org/tcp/4001/p2p/{PEER}")
    assert (str(transport), peer) == ("/dns4/example.org/tcp/4001", PEER)
    assert [str(each) for each in expand_wildcard(listen_address("/ip4/0.0.0.0/tcp/7"))][
        -1
    ] == "/ip4/127.0.0.1/tcp/7"
    assert [str(each) for each in expand_wildcard(listen_address("/ip6/::/tcp/7"))][-1] == "/ip6/::1/tcp/7"
    assert [str(each) for each in expand_wildcard(listen_address("/ip4/10.0.0.1/tcp/7"))] == [
        "/ip4/10.0.0.1/tcp/7"
    ]
    for text in (
        "",
        "/",
        "/ip4/1.2.3.4",
        f"/ip4/1.2.3.4/tcp/1/ws/p2p/{PEER}",
        f"/ip4/1.2.3.4/tcp/99999/p2p/{PEER}",
    ):
        with pytest.raises(AddressInvalid):
            split_address(text)


def test_a_stranger_cannot_name_addresses_of_our_machine_or_site() -> None:
    assert [reach_of(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == [Reach.MACHINE] * 3
    assert [reach_of(host) for host in ("10.1.2.3", "192.168.0.1", "fe80::1", "localhost")] == [Reach.SITE] * 4
    assert reach_of("8.8.8.8") == Reach.WORLD
    for host, teller, expected in (
        ("127.0.0.1", Reach.WORLD, False),
        ("10.0.0.1", Reach.WORLD, False),
        ("8.8.8.8", Reach.WORLD, True),
        ("127.0.0.1", Reach.SITE, False),
        ("10.0.0.1", Reach.SITE, True),
        ("127.0.0.1", Reach.MACHINE, True),
    ):
        assert believable(f"/ip4/{host}/tcp/1/p2p/{PEER}", teller) is expected
    assert not believable(f"/dns4/localhost/tcp/1/p2p/{PEER}", Reach.WORLD)
    assert not believable("garbage", Reach.MACHINE)


def test_the_address_book_is_bounded() -> None:
    book = AddressBook(3)
    for index in range(10):
        book.add(f"p{index}", [f"a{number}" for number in range(20)])
    assert book.peers() == ["p9", "p8", "p7"]
    assert book.addresses("p9") == [f"a{number}" for number in range(19, 11, -1)]
    assert book.addresses("p0") == []


@given(st.lists(st.text(max_size=60), max_size=10), st.binary(max_size=300))
def test_entries_of_the_local_network(addresses: list[str], garbage: bytes) -> None:
    kept = [each for each in addresses[:8] if len(each.encode()) <= 247]
    assert list(decode_entries(encode_entries(addresses))) == kept
    assert len(list(decode_entries(garbage))) <= 8


async def test_the_gate_evicts_the_oldest_handshake_and_refuses_surplus_connections() -> None:
    gate = InboundGate(
        InboundLimits(most_handshakes=4, most_handshakes_per_ip=3, most_connections=3, most_connections_per_ip=2)
    )
    first = [gate.begin("a") for _ in range(3)]
    gate.begin("a")
    assert first[0].scope.cancel_called
    assert not first[1].scope.cancel_called
    newcomer = gate.begin("b")
    late = gate.begin("c")  # the table is full: the address with the most entries loses its oldest
    assert first[1].scope.cancel_called
    assert len(gate.handshakes) == 4
    assert gate.evicted == 2
    assert gate.admit(newcomer)
    assert gate.admit(gate.begin("b"))
    assert not gate.admit(gate.begin("b"))
    assert gate.admit(late)
    assert not gate.admit(first[2])
    gate.leave("b")
    assert gate.admit(gate.begin("a"))
    assert gate.refused == 2
    gate.abandon(newcomer)
    gate.abandon(newcomer)


def test_the_rate_limit_follows_its_clock() -> None:
    now = 0.0
    rate = RateLimit(2, 3, lambda: now)
    assert [rate.take() for _ in range(4)] == [True, True, True, False]
    now = 0.5
    assert [rate.take() for _ in range(2)] == [True, False]
    now = 100
    assert [rate.take() for _ in range(4)] == [True, True, True, False]
