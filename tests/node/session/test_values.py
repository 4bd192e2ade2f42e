"""What people type as inputs and arguments; the values are secrets, so no error repeats one."""

import pytest

from quorate.node.errors import UsageError
from quorate.node.jobs.bids import check_bids, expected_result
from quorate.node.jobs.values import MAX_DIGITS, parse_assignment, parse_inputs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice=120", ("alice", (120,))),
        ("alice=1,2,3", ("alice", (1, 2, 3))),
        ("alice= 1 , 2", ("alice", (1, 2))),
        ("a.b_c-9=-5", ("a.b_c-9", (-5,))),
        ("x=+7", ("x", (7,))),
        ("x=0x1F", ("x", (31,))),
        ("x=-0xff", ("x", (-255,))),
        ("x=1_000", ("x", (1000,))),
        ("x=007", ("x", (7,))),
        ("x=true,false", ("x", (1, 0))),
        ("x=" + "9" * MAX_DIGITS, ("x", (int("9" * MAX_DIGITS),))),
    ],
)
def test_assignments(text, expected):
    assert parse_assignment(text, option="--input") == expected


@pytest.mark.parametrize(
    "text",
    [
        "alice", "=7331", "alice=", "alice=7331.5", "alice=7331e3", "alice=seven7331", "alice=7331,,7331", "alice=0x",
        "alice=0b7331", "alice=" + "7331" * 11, "al ice=7331", "-x=7331", "../x=7331", "a" * 33 + "=7331", "x=True7331",
        "x=7331 7331", "x=--7331", "x=\u0667\u0663\u0663\u0661",
    ],
)  # fmt: skip
def test_what_is_refused_is_never_repeated(text):
    with pytest.raises(UsageError) as refused:
        parse_assignment(text, option="--bid")
    said = f"{refused.value} {refused.value.todo} {refused.value.as_json()}"
    assert "7331" not in said
    assert "\u0663" not in said


def test_a_client_named_again_gives_more_values_and_order_is_kept():
    assert parse_inputs(["b=1", "a=2", "b=3"]) == {"b": (1, 3), "a": (2,)}
    assert list(parse_inputs(["b=1", "a=2"])) == ["b", "a"]


def test_the_number_of_clients_is_bounded():
    assert len(parse_inputs([f"c{number}=1" for number in range(64)])) == 64
    with pytest.raises(UsageError, match="clients"):
        parse_inputs([f"c{number}=1" for number in range(1000)])


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        ({"a": (3,), "b": (5,), "c": (4,)}, ("b", 4)),
        ({"a": (5,), "b": (5,)}, ("a", 5)),
        ({"a": (0,), "b": (0,), "c": (0,)}, ("a", 0)),
        ({"a": (1,), "b": (4294967295,), "c": (4294967295,)}, ("b", 4294967295)),
    ],
)
def test_the_result_to_check_against(bids, expected):
    check_bids(bids)
    assert expected_result(bids) == expected


@pytest.mark.parametrize(
    "bids",
    [
        {"alice": (-31337,), "bob": (1,)},
        {"alice": (4294967296,), "bob": (31337,)},
        {"alice": (2**64 + 31337,), "bob": (1,)},
        {"alice": (31337,)},
        {"alice": (31337, 31337), "bob": (1,)},
        {f"c{number}": (31337,) for number in range(51)},
        {},
    ],
)
def test_bids_out_of_place_are_refused_and_never_repeated(bids):
    with pytest.raises(UsageError) as refused:
        check_bids(bids)
    assert "31337" not in f"{refused.value.as_json()}"
    assert "4294967296" not in f"{refused.value.as_json()}"
