"""One question and its answer: what is written, what the model is shown, and what undoes it."""

from msgspec.structs import replace

from waypost_worker.chat.turn import ResumedTurn, Turn, answer_to
from waypost_worker.conversations.message import ChatMessage, ToolEvent

Q1, A1 = ChatMessage("q1", "user", "One?", 1), ChatMessage("a1", "assistant", "One.", 2, place="0001")
Q2, A2 = ChatMessage("q2", "user", "Two?", 3), ChatMessage("a2", "assistant", "Two.", 4, place="0002")
TALK = [Q1, A1, Q2, A2]
A2_WAITS = ChatMessage("a2", "assistant", "Two.", 4, tool_events=[ToolEvent("call", "root.0.0.d", "pick")])
Q3 = ChatMessage("q3", "user", "Three?", 5)


def turn(items: list[ChatMessage], question: ChatMessage = Q3, *, limit: int = 10, is_ui: bool = False) -> Turn:
    return Turn(items, question, "0003", is_ui=is_ui, limit=limit)


def contents(items: list[ChatMessage]) -> list[str]:
    return [item.content for item in items]


def test_a_question_is_added_with_the_place_of_its_answer_and_nothing_goes():
    begun = turn(TALK)
    answer = ChatMessage("0003", "assistant", "", 5, partial=True, is_open=True, place="0003")
    assert (begun.added, begun.drops) == ([Q3, answer], [])


def test_the_place_of_an_answer_says_in_which_format_it_is_given():
    assert turn([], is_ui=True).added[1].is_ui
    assert not turn([]).added[1].is_ui


def test_a_question_that_is_there_is_asked_again_and_what_followed_it_goes():
    begun = turn(TALK, replace(Q1, content="Uno?"))
    assert begun.drops == ["q1", "a1", "q2", "a2"]
    assert contents(begun.asked) == ["Uno?"]
    assert begun.message_count == 2


def test_what_came_before_a_question_that_is_asked_again_stays():
    begun = turn(TALK, Q2)
    assert begun.drops == ["q2", "a2"]
    assert contents(begun.asked) == ["One?", "One.", "Two?"]
    assert begun.message_count == 4


def test_the_prompt_is_made_of_all_that_is_kept_and_the_question():
    assert contents(turn(TALK, limit=3).asked) == ["One?", "One.", "Two?", "Two.", "Three?"]


def test_the_conversation_has_no_more_messages_than_are_kept():
    assert turn(TALK).message_count == 6
    assert turn(TALK, limit=3).message_count == 3
    assert (turn(TALK).unanswered_count, turn(TALK, limit=3).unanswered_count) == (5, 3)


def test_a_question_that_replaces_nothing_puts_nothing_back():
    assert turn(TALK).replaced == []


def test_what_a_question_that_was_asked_again_replaced_can_be_put_back():
    # Without the places that answers have: to other versions, a message that stands where it was dropped stays gone.
    assert turn(TALK, Q2).replaced == [Q2, replace(A2, place="")]


def test_a_partial_answer_can_be_put_back_unless_there_is_nothing_of_it():
    part, nothing = replace(A2, partial=True), replace(A2, id="a0", content="", partial=True)
    begun = turn([Q2, part, nothing], Q2)
    assert begun.replaced == [Q2, replace(part, place="")]
    assert "a0" in begun.drops


def test_an_answer_of_which_nothing_was_said_is_no_message():
    nothing = replace(A1, content="", partial=True)
    begun = turn([Q1, nothing, Q2, A2])
    assert contents(begun.asked) == ["One?", "Two?", "Two.", "Three?"]
    assert (begun.message_count, begun.unanswered_count) == (5, 4)


def test_a_whole_message_without_content_is_one():
    empty = replace(Q1, content="")
    assert turn([empty]).asked == [empty, Q3]


def test_the_answer_to_a_message_is_what_follows_it():
    assert answer_to(TALK, "q1") == A1
    assert answer_to(TALK, "q2") == A2


def test_a_partial_answer_answers_nothing():
    assert answer_to([Q1, replace(A1, partial=True)], "q1") is None


def test_what_is_not_there_or_was_not_answered_has_no_answer():
    assert answer_to(TALK, None) is None
    assert answer_to(TALK, "other") is None
    assert answer_to([Q1, Q2, A2], "q1") is None
    assert answer_to([Q1], "q1") is None
    assert answer_to([], "q1") is None


def test_a_question_that_is_older_than_what_is_kept_replaces_all_after_it():
    begun = Turn([Q2, A2], replace(Q1, content="Uno?"), "0003", is_ui=False, limit=2, older=[Q1, A1])
    assert begun.drops == ["q1", "a1", "q2", "a2"]
    assert contents(begun.asked) == ["Uno?"]
    assert begun.previous_count == 4


def test_a_question_that_was_older_than_all_that_is_stored_replaces_all():
    begun = Turn([Q2, A2], Q3, "0003", is_ui=False, limit=2, older=[A1], replaces_all=True, is_again=True)
    assert begun.drops == ["a1", "q2", "a2", "q3"]
    assert contents(begun.asked) == ["Three?"]


def test_a_question_that_is_asked_again_takes_copies_with_it_that_are_not_visible_yet():
    assert Turn(TALK, Q3, "0003", is_ui=False, limit=10, is_again=True).drops == ["q3"]
    assert turn(TALK, Q3).drops == []


def test_an_answer_that_goes_on_does_not_show_the_model_the_attempt_that_it_replaced():
    def tried(id: str, root: str) -> ChatMessage:
        return ChatMessage(id, "assistant", "", 2, tool_events=[ToolEvent("call", f"{root}.0.0.d", "pick")])

    resumed = ResumedTurn(
        [Q1, tried("g1", "other"), Q2, tried("g2", "root"), A2], A2_WAITS, "", "leg", 9, is_ui=True, limit=10
    )
    assert [item.id for item in resumed.asked] == ["q1", "g1", "q2"]
    assert resumed.previous_count == 5
