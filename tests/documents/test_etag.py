"""Entity tags and conditions, as RFC 9110 has them."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import LowerHeaders
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions, etag_of, parse_conditions
from waypost_worker.errors import InvalidHeader, PreconditionFailed

ONE, TWO = etag_of("1"), etag_of("2")


def if_match(field: str) -> Conditions:
    return parse_conditions(LowerHeaders({"If-Match": field}).get)


def if_none_match(field: str) -> Conditions:
    return parse_conditions(LowerHeaders({"If-None-Match": field}).get)


def lets_write(conditions: Conditions, etag: str | None) -> bool:
    try:
        conditions.check_write(etag)
    except PreconditionFailed:
        return False
    return True


def test_a_tag_is_pinned_so_that_what_clients_remember_stays_good():
    assert etag_of("{}") == '"44136fa355b3678a1146ad16f7e8649e"'


@given(st.text(), st.text())
def test_tags_are_equal_for_equal_texts_only(one: str, other: str):
    assert (etag_of(one) == etag_of(other)) == (one == other)


def test_a_request_without_conditions_asks_for_nothing():
    assert parse_conditions(LowerHeaders({}).get) == UNCONDITIONAL
    assert lets_write(UNCONDITIONAL, None)
    assert lets_write(UNCONDITIONAL, ONE)
    assert not UNCONDITIONAL.is_known(ONE)


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ("*", {"*"}),
        (" * ", {"*"}),
        ('"a"', {'"a"'}),
        ('"a","b"', {'"a"', '"b"'}),
        ('"a" ,\t"b" , "c"', {'"a"', '"b"', '"c"'}),
        (',, "a",,"b",', {'"a"', '"b"'}),
        ('W/"a", "b"', {'"a"', '"b"'}),
        ('"a,b", "W/c"', {'"a,b"', '"W/c"'}),
        ('""', {'""'}),
        ('"*"', {'"*"'}),
        ('"ü"', {'"ü"'}),
        ('"xyzzy", "r2d2xxxx", "c3piozzzz"', {'"xyzzy"', '"r2d2xxxx"', '"c3piozzzz"'}),
        ('W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', {'"xyzzy"', '"r2d2xxxx"', '"c3piozzzz"'}),
        ("", set()),
        (" , ", set()),
    ],
)
def test_a_field_is_a_star_or_a_list_of_tags(field: str, tags: set[str]):
    assert if_match(field) == Conditions(match=frozenset(tags))
    assert if_none_match(field) == Conditions(none_match=frozenset(tags))


@pytest.mark.parametrize(
    "field",
    [
        "a",
        '"a',
        'a"',
        "'a'",
        '"a" "b"',
        '"a"b',
        '"a"; "b"',
        '*, "a"',
        '"a", *',
        "**",
        'w/"a"',
        'W/ "a"',
        '"a b"',
        '"\x7f"',
    ],
)
def test_anything_else_is_refused_and_not_read_as_no_condition(field: str):
    for parse in (if_match, if_none_match):
        with pytest.raises(InvalidHeader):
            parse(field)


@pytest.fixture
def alarm() -> Iterator[None]:
    """Ends a test that hangs; no test that passes comes near it."""

    def ring(*_: object) -> None:
        raise TimeoutError("this should have taken some milliseconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(
    "field", [" " * 300_000 + "x", '"a"' + " " * 300_000 + "x", '"a",' * 100_000 + "x", 'W/"' + "a" * 300_000]
)
def test_a_long_hostile_field_costs_no_more_than_its_length(field: str):
    with pytest.raises(InvalidHeader):
        if_match(field)


def test_if_match_lets_a_write_replace_the_versions_that_it_names():
    assert lets_write(if_match(ONE), ONE)
    assert lets_write(if_match(f"{TWO}, {ONE}"), ONE)
    assert not lets_write(if_match(TWO), ONE)
    assert not lets_write(if_match(""), ONE)


def test_if_match_with_a_star_lets_a_write_replace_anything_but_nothing():
    assert lets_write(if_match("*"), ONE)
    assert not lets_write(if_match("*"), None)
    assert not lets_write(if_match(ONE), None)


def test_if_none_match_with_a_star_lets_a_write_create_only():
    assert lets_write(if_none_match("*"), None)
    assert not lets_write(if_none_match("*"), ONE)


def test_if_none_match_with_tags_lets_a_write_replace_all_others():
    assert lets_write(if_none_match(TWO), ONE)
    assert lets_write(if_none_match(ONE), None)
    assert not lets_write(if_none_match(f"W/{ONE}"), ONE)


def test_a_tag_in_quotes_that_reads_as_a_star_is_only_a_tag():
    assert not lets_write(if_match('"*"'), ONE)
    assert lets_write(if_none_match('"*"'), ONE)


def test_both_conditions_have_to_be_met():
    assert lets_write(Conditions(frozenset({ONE}), frozenset({TWO})), ONE)
    assert not lets_write(Conditions(frozenset({ONE}), frozenset({"*"})), ONE)
    assert not lets_write(Conditions(frozenset({TWO}), frozenset({TWO})), ONE)


def test_a_tag_that_an_edge_has_weakened_still_lets_its_editor_write():
    assert lets_write(if_match(f"W/{ONE}"), ONE)


def test_who_reads_has_the_version_that_if_none_match_names():
    assert if_none_match(ONE).is_known(ONE)
    assert if_none_match(f"{TWO}, W/{ONE}").is_known(ONE)
    assert if_none_match("*").is_known(ONE)
    assert not if_none_match(TWO).is_known(ONE)


def test_who_reads_may_insist_on_a_version():
    assert not if_match(ONE).is_known(ONE)
    with pytest.raises(PreconditionFailed):
        if_match(TWO).is_known(ONE)
