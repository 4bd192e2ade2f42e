from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast.erasure import ErasureCode, divide, multiply
from quorate.protocol.broadcast.merkle import HASH_BYTES, MerkleTree, branch_bytes, root_of

ELEMENTS = st.integers(0, 255)


def slow_product(x: int, y: int) -> int:
    """Schoolbook multiplication of polynomials over GF(2), reduced bit by bit."""
    product = 0
    for bit in range(8):
        if y >> bit & 1:
            product ^= x << bit
    for bit in reversed(range(8, 16)):
        if product >> bit & 1:
            product ^= 0x11D << (bit - 8)
    return product


def slow_value(points: list[int], values: list[int], at: int) -> int:
    """Lagrange's formula with the slow product, and inverses by search."""
    total = 0
    for point, value in zip(points, values, strict=True):
        for other in points:
            if other != point:
                inverse = next(x for x in range(1, 256) if slow_product(x, point ^ other) == 1)
                value = slow_product(value, slow_product(at ^ other, inverse))
        total ^= value
    return total


@given(ELEMENTS, ELEMENTS, ELEMENTS)
def test_the_field_is_that_of_schoolbook_polynomials(x: int, y: int, z: int) -> None:
    assert multiply(x, y) == slow_product(x, y)
    assert multiply(x, y ^ z) == multiply(x, y) ^ multiply(x, z)
    if y:
        assert multiply(divide(x, y), y) == x
    else:
        with pytest.raises(ZeroDivisionError):
            divide(x, y)


@pytest.mark.parametrize(("fragments", "needed"), [(4, 2), (7, 3), (10, 4), (12, 1), (5, 5)])
def test_fragments_are_values_of_the_polynomial_through_the_data(fragments: int, needed: int) -> None:
    data = Random(fragments).randbytes(3 * needed)
    encoded = ErasureCode(fragments, needed=needed).encode(data)
    assert b"".join(encoded[:needed]) == data
    for index, fragment in enumerate(encoded):
        for place, byte in enumerate(fragment):
            column = [encoded[point][place] for point in range(needed)]
            assert byte == slow_value(list(range(needed)), column, index)


@pytest.mark.parametrize(("fragments", "needed"), [(1, 1), (4, 2), (7, 3)])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 50, 100_003])
def test_any_sufficient_fragments_give_the_data(fragments: int, needed: int, size: int) -> None:
    code = ErasureCode(fragments, needed=needed)
    data = Random(size).randbytes(size)
    encoded = code.encode(data)
    assert {len(fragment) for fragment in encoded} == {code.fragment_bytes(size)}
    for chosen in combinations(range(fragments), needed):
        assert code.decode({index: encoded[index] for index in chosen}, size=size) == data


@given(st.data(), st.binary(max_size=300))
@settings(max_examples=40)
def test_large_committees(data: st.DataObject, payload: bytes) -> None:
    fragments = data.draw(st.integers(1, 64))
    needed = data.draw(st.integers(1, fragments))
    code = ErasureCode(fragments, needed=needed)
    encoded = code.encode(payload)
    chosen = data.draw(st.permutations(range(fragments)))[:needed]
    assert code.decode({index: encoded[index] for index in chosen}, size=len(payload)) == payload


def test_impossible_codes_and_fragments_are_refused() -> None:
    for fragments, needed in ((3, 0), (3, 4), (256, 2)):
        with pytest.raises(ValueError, match="no code"):
            ErasureCode(fragments, needed=needed)
    code = ErasureCode(4, needed=2)
    encoded = code.encode(b"abcd")
    with pytest.raises(ValueError, match="2 are needed"):
        code.decode({0: encoded[0]}, size=4)
    with pytest.raises(ValueError, match="not of 2 bytes"):
        code.decode({0: encoded[0], 1: b"abc"}, size=4)
    with pytest.raises(ValueError, match="not of this code"):
        code.decode({0: encoded[0], 4: encoded[1]}, size=4)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 13, 64])
def test_every_leaf_has_a_branch_to_the_root_and_to_no_other_place(count: int) -> None:
    leaves = [bytes([index]) * 5 for index in range(count)]
    tree = MerkleTree(leaves)
    for index, leaf in enumerate(leaves):
        branch = tree.branch(index)
        assert len(branch) == branch_bytes(count)
        assert root_of(leaf, branch, index=index) == tree.root
        for elsewhere in range(count):
            assert (root_of(leaf, branch, index=elsewhere) == tree.root) == (elsewhere == index)
        assert root_of(leaf + b"x", branch, index=index) != tree.root
        for start in range(0, len(branch), HASH_BYTES):
            wrong = bytearray(branch)
            wrong[start] ^= 1
            assert root_of(leaf, bytes(wrong), index=index) != tree.root


def test_roots_commit_to_order_and_number_of_leaves() -> None:
    roots = {
        MerkleTree(leaves).root for leaves in ([b"a", b"b"], [b"b", b"a"], [b"a"], [b"a", b"b", b""], [b"ab"])
    }
    assert len(roots) == 5
    with pytest.raises(ValueError, match="at least one"):
        MerkleTree([])


def test_an_inner_node_is_no_leaf() -> None:
    tree = MerkleTree([b"a", b"b", b"c", b"d"])
    right_half = MerkleTree([b"c", b"d"])
    left_half = MerkleTree([b"a", b"b"])
    leaf_of_hashes = MerkleTree([b"a", b"b"]).branch(1) + MerkleTree([b"a", b"b"]).branch(0)
    assert root_of(leaf_of_hashes, right_half.root, index=0) != tree.root
    assert MerkleTree([left_half.root, right_half.root]).root != tree.root
