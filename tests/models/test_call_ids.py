"""The ids under which calls are given back: a form that each service takes, and one for each call."""

import re

from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.conversations.message import ToolCall
from waypost_worker.models.call_ids import call_ids


@given(st.lists(st.text(), unique=True))
def test_an_id_is_nine_letters_and_digits_and_no_other_calls(ids: list[str]):
    given_back = [call_ids("gpt-5")(ToolCall(id)) for id in ids]
    assert all(re.fullmatch("[A-Za-z0-9]{9}", id) for id in given_back)
    assert len(set(given_back)) == len(ids)


def test_an_id_that_has_the_form_is_kept_and_any_other_stays_the_same_from_request_to_request():
    assert call_ids("mistral")(ToolCall("D681PevKs")) == "D681PevKs"
    first, second = call_ids(""), call_ids("")
    first(ToolCall("before"))
    assert first(ToolCall("call_abc")) == second(ToolCall("call_abc"))


def test_kimi_k2_reads_the_tool_out_of_the_id():
    id_of = call_ids("moonshotai/Kimi-K2-Thinking")
    assert [id_of(ToolCall(id, name)) for id, name in (("a", "add_note"), ("b", "list_notes"))] == [
        "functions.add_note:0",
        "functions.list_notes:1",
    ]
