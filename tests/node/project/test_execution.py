"""Calls in the clear and by committees: the same results, and errors that quote no value."""

from fractions import Fraction

import pytest

from quorate.node.errors import UsageError
from quorate.node.project.execution import (
    Call,
    Committee,
    MissingInput,
    ProgramFailed,
    count,
    kinds_of,
    run_clear,
    run_committee,
)
from quorate.node.project.values import encode, input_kind, parse_client_inputs
from quorate.protocol.lang import compile_source
from quorate.protocol.mpc import InputKind
from quorate.protocol.vm import ValueKind

MIXED = """\
def main(scale: int64) -> int64:
  var total: secret int64 = 0
  for client in range(ClientStore.get_number_input_clients()):
    total += ClientStore.take_share(client, 0) * scale
  var yes = ClientStore.take_share_bool(0, 1)
  total.send_to_client(0)
  yes.send_to_client(1)
  (not yes).send_to_client(1)
  print("parties", Mpc.n_parties())
  return total.reveal()
"""
INPUTS = {0: (7, 1), 1: (-20,)}


def call_of(text, **options):
    return Call(compile_source(text, "main.stfl"), **options)


@pytest.mark.parametrize("protocol", ["passive", "abort", "robust"])
def test_a_committee_gives_what_the_clear_engine_gives(protocol):
    call = call_of(MIXED, arguments=(3,), inputs=INPUTS)
    committee = Committee(4, 1, protocol)
    clear, secret = run_clear(call, committee), run_committee(call, committee)
    assert secret.value == clear.value == -39
    assert secret.printed == clear.printed == ("parties 4",)
    assert secret.outputs == clear.outputs
    assert (secret.outputs[0].values, secret.outputs[0].types) == ((-39,), ("int64",))
    assert (secret.outputs[1].values, secret.outputs[1].types) == ((True, False), ("bool", "bool"))
    assert clear.statistics is None
    assert secret.statistics.bytes_sent > 0


def test_the_kinds_of_computed_places_come_from_a_dry_run():
    kinds = kinds_of(call_of(MIXED, arguments=(1,), inputs=INPUTS), Committee())
    assert kinds == {(0, 0): ValueKind.INT64, (0, 1): ValueKind.BOOL, (1, 0): ValueKind.INT64}


def test_fixed_point_inputs_are_numbers_or_units():
    text = "def main():\n  var x = ClientStore.take_share_fixed(0, 0)\n  (x + x).send_to_client(0)\n"
    for value in (Fraction(3, 2), 98304):
        call = call_of(text, inputs={0: (value,)})
        assert run_clear(call).outputs[0].values == (Fraction(3),)
        assert run_committee(call, Committee(3, 1)).outputs[0].values == (Fraction(3),)
    assert run_clear(call).outputs[0].types == ("fix64",)


def test_receivers_can_be_fewer_or_more_than_givers():
    text = "def main() -> int64:\n  return ClientStore.get_number_output_clients()\n"
    assert run_clear(call_of(text)).value == 0
    assert run_clear(call_of(text, receivers=3)).value == 3
    assert run_committee(call_of(text, receivers=3), Committee(3, 1)).value == 3


def test_a_program_about_a_curve_runs_in_its_field():
    text = 'def main():\n  var s = Share.random()\n  assert Mpc.has_capability("open-in-exponent")\n'
    text += '  print(len(s.open_exp("secp256k1")))\n'
    committee = Committee(3, 1, field="secp256k1")
    clear, secret = run_clear(call_of(text), committee), run_committee(call_of(text), committee)
    assert clear.printed == secret.printed
    with pytest.raises(ProgramFailed, match="scalar field"):
        run_committee(call_of(text), Committee(3, 1))


def test_counts_need_no_values():
    text = "def main():\n  (ClientStore.take_share(0, 0) * ClientStore.take_share(0, 1)).send_to_client(0)\n"
    counts = count(call_of(text, inputs={0: (0, 0)}), Committee())
    assert (counts.multiplications, counts.outputs) == (1, 1)


@pytest.mark.parametrize("run", [run_clear, lambda call: run_committee(call, Committee(3, 1))])
def test_failures_name_the_line(run):
    with pytest.raises(ProgramFailed, match=r"main\.stfl:2: in main: assertion failed: no"):
        run(call_of('def main():\n  assert 1 == 2, "no"\n'))
    with pytest.raises(MissingInput, match="client 0 gave no input number 0"):
        run(call_of("def main():\n  discard ClientStore.take_share(0, 0)\n"))
    with pytest.raises(ProgramFailed, match="no function 'other'"):
        run(call_of("def main():\n  pass\n", entry="other"))


@pytest.mark.parametrize("run", [run_clear, lambda call: run_committee(call, Committee(3, 1))])
def test_values_that_do_not_fit_are_refused_without_being_quoted(run):
    text = "def main():\n  discard ClientStore.take_share_bool(0, 0)\n"
    with pytest.raises(UsageError) as caught:
        run(call_of(text, inputs={0: (123456,)}))
    assert "value 0 of client 0" in str(caught.value)
    assert "123456" not in str(caught.value)


def test_too_many_values_are_refused():
    text = "def main():\n  discard ClientStore.take_share(0, 0)\n"
    with pytest.raises(UsageError, match="client 0 gives too much"):
        run_committee(call_of(text, inputs={0: (1,) * 1000}), Committee(3, 1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((2, 1), "2 parties cannot withstand 1"),
        ((65, 1), "65 parties"),
        ((5, 2, "robust"), "7 to 64 parties"),
        ((5, -1), "5 parties cannot withstand -1"),
        ((5, 1, "magic"), "no protocol is called magic"),
        ((5, 1, "passive", "f4"), "no field is called f4"),
    ],
)
def test_committees_that_cannot_be(arguments, words):
    with pytest.raises(UsageError) as caught:
        Committee(*arguments)
    assert words in str(caught.value)


def test_client_inputs_are_parsed():
    texts = ["0=1", "1=true,false", "0=-0x10", "2=2.5", "0=1_000"]
    assert parse_client_inputs(texts) == {0: (1, -16, 1000), 1: (1, 0), 2: (Fraction(5, 2),)}


@pytest.mark.parametrize(
    "text", ["x=1", "0", "0=", "0=abc", "-1=3", "50000=1", "0=1e5", "0=" + "9" * 90, "0=1,,2"]
)
def test_client_inputs_that_are_none_are_not_quoted(text):
    with pytest.raises(UsageError) as caught:
        parse_client_inputs([text])
    assert "abc" not in str(caught.value)


def test_the_ranges_of_kinds():
    assert input_kind(ValueKind.BOOL) == InputKind(1)
    assert input_kind(ValueKind.UINT8) == InputKind(8)
    assert input_kind(ValueKind.FIX64) == InputKind(64, signed=True)
    assert input_kind(ValueKind.FIELD) == InputKind()
    assert encode(255, ValueKind.UINT8) == 255
    assert encode(Fraction(-1, 2), ValueKind.FIX64) == -(1 << 15)
    for value, kind in [(256, ValueKind.UINT8), (-1, ValueKind.UINT64), (Fraction(1, 2), ValueKind.INT64)]:
        with pytest.raises(ValueError, match=r"a (number outside|fraction for)"):
            encode(value, kind)
