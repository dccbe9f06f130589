"""What a question says about a running answer, and about messages that are not kept any more."""

import pytest

from waypost_worker.chat.question import Question, answer_of, asked_in, tag_of
from waypost_worker.conversations.message import ChatMessage

OLD, NEW = "019b76da-a800-7000-a081-b9f8f10030ed", "019b76dc-7cc0-7000-a081-b9f8f10030ed"
"""The ids of two answers, two minutes apart."""
KEPT = [ChatMessage("q1", "user", "One?", 0x019B76DBA800), ChatMessage("a1", "assistant", "One.", 0x019B76DBA800)]


def test_a_question_interrupts_if_it_says_so_or_stands_behind_the_answer_or_its_client_has_left():
    assert Question("Hi", interrupt=True).may_interrupt("a", "")
    assert Question("Hi", regenerate=True).may_interrupt("a", "")
    assert Question("Hi", previous_ids=("a", "q")).may_interrupt("a", "")
    assert Question("Hi", asker="me").may_interrupt("a", "me")
    assert not Question("Hi", previous_ids=("q", "a"), asker="me").may_interrupt("a", "other")
    assert not Question("Hi").may_interrupt("a", "")


def test_a_question_is_repeated_by_its_id_or_by_its_content_and_the_place_in_its_answer():
    tag = tag_of("Hi")
    assert Question("Hi", resumed_at=("a", 3)).is_repeated("a", "q", tag)
    assert Question("Ho", "q", resumed_at=("a", 3)).is_repeated("a", "q", tag)
    assert not Question("Ho", resumed_at=("a", 3)).is_repeated("a", "q", tag)
    assert not Question("Hi", "r", resumed_at=("a", 3)).is_repeated("a", "q", tag)
    assert not Question("Hi", resumed_at=("b", 3)).is_repeated("a", "q", tag)
    assert not Question("Hi", "q").is_repeated("a", "q", tag)
    assert not Question("Hi", "q", regenerate=True, resumed_at=("a", 3)).is_repeated("a", "q", tag)


def test_an_answer_without_a_question_before_it_is_nobodys():
    assert asked_in(KEPT[1:], KEPT[1]) == ("", "")
    assert asked_in(KEPT, KEPT[1]) == ("q1", tag_of("One?"))
    assert answer_of(KEPT[1:], Question("One?", resumed_at=("a1", 1))) is None


@pytest.mark.parametrize(
    ("answer_id", "previous_ids", "is_cut"),
    [
        ("", (OLD, "q0"), True),
        (OLD, (), True),
        ("", ("m", OLD), True),
        ("", (NEW,), False),
        ("", ("a1",), False),
        ("a1", (OLD,), False),
        ("", ("made-by-a-page",), False),
        ("", (), False),
    ],
)
def test_a_question_is_about_a_message_that_was_cut_if_what_is_around_it_is_older_than_all_that_is_kept(
    answer_id: str, previous_ids: tuple[str, ...], is_cut: bool
):
    asked = Question("Hi", "q0", regenerate=True, answer_id=answer_id, previous_ids=previous_ids)
    assert asked.is_about_cut_message(KEPT) is is_cut


def test_a_question_that_is_kept_or_is_not_asked_again_is_about_no_cut_message():
    assert not Question("Hi", "q1", regenerate=True, previous_ids=(OLD,)).is_about_cut_message(KEPT)
    assert not Question("Hi", "q0", previous_ids=(OLD,)).is_about_cut_message(KEPT)
    assert not Question("Hi", "q0", regenerate=True, previous_ids=(OLD,)).is_about_cut_message([])
