"""A character whose escape is split is whole again, and half a character is U+FFFD."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.surrogates import SurrogateJoiner, well_formed

HIGH, LOW = "\ud83e", "\udd8a"
any_text = st.text(st.characters(codec=None) | st.sampled_from((HIGH, LOW, "a", "é", "🦊")))


def joined(texts: list[str]) -> str:
    joiner = SurrogateJoiner()
    return "".join([*map(joiner.add, texts), joiner.end()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [(HIGH + LOW, "🦊"), (LOW + HIGH, "\ufffd\ufffd"), (f"a{HIGH}b", "a\ufffdb"), ("🦊é", "🦊é"), ("", "")],
)
def test_pairs_become_characters_and_halves_a_replacement(text: str, expected: str):
    assert well_formed(text) == expected


@given(st.lists(any_text, max_size=6))
def test_a_text_in_parts_reads_as_in_one_piece(texts: list[str]):
    assert joined(texts) == well_formed("".join(texts))


@given(any_text)
def test_what_is_added_never_has_a_half(text: str):
    SurrogateJoiner().add(text).encode()
