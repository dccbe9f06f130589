"""Which values name a trace, and what of them is passed on: https://www.w3.org/TR/trace-context/"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.http.trace_context import TraceContext, parse_trace_context
from waypost_worker.limits import MAX_TRACESTATE_LENGTH, MAX_TRACESTATE_MEMBERS

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXAMPLE = f"00-{TRACE}-{PARENT}-01"


def state_of(text: str) -> str:
    trace = parse_trace_context(EXAMPLE, text)
    assert trace is not None
    return trace.state


def test_the_example_of_the_standard_is_passed_on_as_it_is():
    trace = parse_trace_context(EXAMPLE)
    assert trace == TraceContext(EXAMPLE, "")
    assert (trace.trace_id, trace.flags) == (TRACE, "01")


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "x",
        EXAMPLE.upper(),
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT[:-1]}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0x",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{EXAMPLE}-extra",
        f"{EXAMPLE}-",
        f"{EXAMPLE}, {EXAMPLE}",
        f" {EXAMPLE}",
        f"{EXAMPLE}\n",
        f"01-{TRACE}-{PARENT}-01-a\nb",
        f"01-{TRACE}-{PARENT}-01x",
        EXAMPLE.replace("4", "\u0664"),
        EXAMPLE * 1000,
    ],
)
def test_what_names_no_trace_is_ignored_with_its_state(value: object):
    assert parse_trace_context(value, "congo=t61rcWkgMzE") is None


@pytest.mark.parametrize("more", ["", "-", "-what-a-later-version-adds"])
def test_a_later_version_is_read_as_far_as_it_is_known(more: str):
    trace = parse_trace_context(f"cc-{TRACE}-{PARENT}-01{more}")
    assert trace == TraceContext(EXAMPLE)


@pytest.mark.parametrize(("sent", "kept"), [("00", "00"), ("03", "03"), ("02", "02"), ("ff", "03"), ("fc", "00")])
def test_flags_that_are_not_known_are_set_to_zero(sent: str, kept: str):
    trace = parse_trace_context(f"00-{TRACE}-{PARENT}-{sent}")
    assert trace is not None
    assert trace.flags == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("congo=t61rcWkgMzE", "congo=t61rcWkgMzE"),
        ("rojo=1,congo=2", "rojo=1,congo=2"),
        (" rojo=1 ,\t, congo=a b ,", "rojo=1,congo=a b"),
        ("0v@tenant=x/y", "0v@tenant=x/y"),
        ("", ""),
    ],
)
def test_a_state_is_passed_on_in_its_order(sent: str, kept: str):
    assert state_of(sent) == kept


@pytest.mark.parametrize(
    "text", ["congo", "=1", "Congo=1", "congo=", "congo=a=b", "congo=\x1b[31m", "congo=1\nx=2", "congo=\u00e9", "a=1,?"]
)
def test_a_state_that_breaks_its_grammar_is_dropped_whole_and_the_trace_stays(text: str):
    assert state_of(text) == ""


def test_a_state_that_is_no_text_is_dropped():
    assert parse_trace_context(EXAMPLE, {"congo": 1}) == TraceContext(EXAMPLE)


def test_a_state_has_so_many_members():
    members = [f"a{number}=1" for number in range(MAX_TRACESTATE_MEMBERS + 1)]
    assert state_of(",".join(members[:-1])) == ",".join(members[:-1])
    assert state_of(",".join(members)) == ""


def test_of_a_state_that_is_too_long_long_members_go_first_and_then_the_last():
    full = ",".join(["a=" + "x" * 126] * 3 + ["b=" + "x" * 123])
    assert len(full) == MAX_TRACESTATE_LENGTH
    assert state_of(full) == full
    assert state_of("c=" + "y" * 127 + "," + full) == full
    assert state_of(full + ",d=1") == full
    assert state_of("d=1," + full) == "d=1," + ",".join(["a=" + "x" * 126] * 3)


@given(st.text(), st.text())
def test_nothing_else_gets_through(parent: str, state: str):
    trace = parse_trace_context(parent, state)
    assert trace is None or trace.parent.startswith("00-")
    assert all(" " <= character <= "~" for character in state_of(state))
