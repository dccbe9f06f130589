"""Reasoning in tags is apart from the answer, however the text is split; tags elsewhere are text."""

import pytest

from waypost_worker.models.model import Piece, Reasoning
from waypost_worker.models.think_tags import ThinkTags


def read(*texts: str) -> tuple[str, str]:
    """The reasoning and the answer."""
    tags = ThinkTags()
    pieces: list[Piece] = [piece for text in texts for piece in tags.feed(text)]
    pieces += tags.end()
    assert all(piece if isinstance(piece, str) else piece.text for piece in pieces)
    kinds = [isinstance(piece, Reasoning) for piece in pieces]
    assert kinds == sorted(kinds, reverse=True)
    reasoning = "".join(piece.text for piece in pieces if isinstance(piece, Reasoning))
    return reasoning, "".join(piece for piece in pieces if isinstance(piece, str))


CASES = [
    ("<think>Hm.</think>Hello", "Hm.", "Hello"),
    ("<think>\nHm.\n</think>\n\nHello\n", "\nHm.\n", "Hello\n"),
    ("\n <think>Hm.</think> Hello", "Hm.", "Hello"),
    ("<thinking>Hm.</thinking>Hello", "Hm.", "Hello"),
    ("<think></think>Hello", "", "Hello"),
    ("<think>a < b </thin> c</think>Hello", "a < b </thin> c", "Hello"),
    ("<think>a</think>b</think>c", "a", "b</think>c"),
    ("<think>Hm. </thi", "Hm. </thi", ""),
    ("<think>Hm.", "Hm.", ""),
    ("</think>\n\nHello", "", "Hello"),
    ("Use <think> tags.</think>", "", "Use <think> tags.</think>"),
    ("<thin", "", "<thin"),
    ("<thinker>Hello", "", "<thinker>Hello"),
    ("  Hello  ", "", "  Hello  "),
    (" ", "", " "),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "reasoning", "answer"), CASES)
def test_tags_are_found_however_the_text_is_split(text: str, reasoning: str, answer: str):
    assert read(text) == (reasoning, answer)
    assert read(*text) == (reasoning, answer)
    for place in range(len(text)):
        assert read(text[:place], text[place:]) == (reasoning, answer)


def test_an_answer_without_tags_is_held_back_no_longer_than_its_first_word():
    tags = ThinkTags()
    assert tags.feed(" <") == []
    assert tags.feed("b") == [" <b"]
    assert tags.feed("<") == ["<"]


def test_reasoning_is_passed_on_while_it_comes():
    tags = ThinkTags()
    assert tags.feed("<think>Hm") == [Reasoning("Hm")]
    assert tags.feed(". </") == [Reasoning(". ")]
    assert tags.feed("b>") == [Reasoning("</b>")]
