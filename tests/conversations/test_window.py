"""What is kept of a conversation: the last messages, as whole groups of calls, results and reasoning."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.conversations import answer, ids, item
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.conversations.window import Window, first_kept, first_shown, last_messages, page_of, shown_of


def opaque(id: str, content: Any) -> ChatMessage:
    """An item of an agent's framework, whole as the content."""
    return answer(id, content)


def called(call: str, **fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call, "name": "f", "arguments": "{}", **fields}


def returned(call: str, output: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call, "output": output}


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}

PAIRS = {
    "our own": (
        answer("call", "", tool_calls=[ToolCall("1")]),
        item("result", "done", role="tool", tool_call_id="1"),
    ),
    "a function call": (opaque("call", called("1")), opaque("result", returned("1"))),
    "a custom tool": (
        opaque("call", {"type": "custom_tool_call", "call_id": "1"}),
        opaque("result", {"type": "custom_tool_call_output", "call_id": "1"}),
    ),
    "a computer": (
        opaque("call", {"type": "computer_call", "call_id": "1"}),
        opaque("result", {"type": "computer_call_output", "call_id": "1"}),
    ),
    "an approval": (
        opaque("call", {"type": "mcp_approval_request", "id": "1"}),
        opaque("result", {"type": "mcp_approval_response", "approval_request_id": "1"}),
    ),
    "chat completions": (
        opaque("call", {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}),
        opaque("result", {"role": "tool", "tool_call_id": "1", "content": "done"}),
    ),
    "Anthropic": (
        opaque("call", [{"type": "text", "text": "So"}, {"type": "tool_use", "id": "1"}]),
        item("result", [{"type": "tool_result", "tool_use_id": "1"}]),
    ),
    "the AI SDK": (
        opaque("call", [{"type": "tool-call", "toolCallId": "1"}]),
        opaque("result", [{"type": "tool-result", "toolCallId": "1"}]),
    ),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@pairs
def test_a_call_and_its_result_are_kept_together_or_not_at_all(pair: tuple[ChatMessage, ChatMessage]):
    items = [item("a"), *pair, item("b")]
    assert [ids(last_messages(items, limit)) for limit in (4, 3, 2, 1)] == [
        ["a", "call", "result", "b"],
        ["call", "result", "b"],
        ["b"],
        ["b"],
    ]


@pairs
def test_what_stands_between_a_call_and_its_result_is_of_their_group(pair: tuple[ChatMessage, ChatMessage]):
    call, result = pair
    items = [call, item("a"), result, item("b")]
    assert [ids(last_messages(items, limit)) for limit in (4, 3, 2)] == [["call", "a", "result", "b"], ["b"], ["b"]]


@pairs
def test_a_call_without_a_result_yet_is_a_group_of_its_own(pair: tuple[ChatMessage, ChatMessage]):
    assert ids(last_messages([item("a"), pair[0], item("b")], 2)) == ["call", "b"]


@pairs
def test_a_result_of_which_the_call_was_cut_off_before_is_left_out(pair: tuple[ChatMessage, ChatMessage]):
    items, is_cut = shown_of([pair[1], item("b")], Window(9), is_cut=True)
    assert (ids(items), is_cut) == (["b"], True)


def test_a_senders_own_result_without_a_call_is_shown_where_nothing_was_cut():
    items, is_cut = shown_of([PAIRS["a function call"][1], item("b")], Window(9))
    assert (ids(items), is_cut) == (["result", "b"], False)


@pytest.mark.parametrize("content", [REASONING, [{"type": "thinking", "thinking": "Hm."}], [{"type": "reasoning"}]])
def test_reasoning_goes_with_what_follows_it(content: Any):
    items = [item("a"), opaque("why", content), opaque("call", called("1")), opaque("result", returned("1"))]
    assert [ids(last_messages([*items, item("b")], limit)) for limit in (4, 3)] == [
        ["why", "call", "result", "b"],
        ["b"],
    ]


def test_reasoning_at_the_end_is_a_group_of_its_own():
    assert ids(last_messages([item("a"), opaque("why", REASONING)], 1)) == ["why"]


def test_an_answer_with_its_reasoning_in_it_is_no_reasoning():
    both = opaque("both", [{"type": "thinking"}, {"type": "text", "text": "So"}])
    assert ids(last_messages([both, item("a")], 1)) == ["a"]


def test_parallel_calls_are_one_group():
    items = [
        opaque("why", REASONING),
        *(opaque(f"call {number}", called(number)) for number in "12"),
        *(opaque(f"result {number}", returned(number)) for number in "12"),
        item("a"),
    ]
    assert [len(last_messages(items, limit)) for limit in range(1, 7)] == [1, 1, 1, 1, 1, 6]


@pytest.mark.parametrize(
    "content",
    [
        "text",
        None,
        7,
        [1, "a", None],
        {},
        {"type": 1},
        {"type": "function_call"},
        {"type": "function_call", "call_id": 5},
        {"tool_calls": [1, {"id": 2}]},
        {"tool_calls": "x"},
        {"role": "tool"},
        {"type": "web_search_call", "id": "ws"},
        '{"type":"function_call","call_id":"1"}',
    ],
)
def test_any_other_content_is_a_group_of_its_own(content: Any):
    assert ids(last_messages([opaque("x", content), opaque("y", returned("1")), item("a")], 2)) == ["a"]
    assert ids(last_messages([item("z"), opaque("x", content), item("a")], 2)) == ["x", "a"]


def test_the_newest_group_is_kept_whole_up_to_twice_the_limit():
    call, result = PAIRS["a function call"]
    group = [call, item("a"), item("b"), result]
    assert ids(last_messages([item("z"), *group], 2)) == ["call", "a", "b", "result"]
    assert ids(last_messages([item("z"), *group], 1)) == ["b"]


def test_bytes_are_bounded_too_and_the_newest_message_is_kept_whatever_its_size():
    items = [item(name, "x" * 1000) for name in "abc"]
    assert ids(last_messages(items, 9, 2200)) == ["b", "c"]
    assert ids(last_messages(items, 9, 10)) == ["c"]


def test_a_large_result_is_kept_with_its_call():
    items = [item("a"), opaque("call", called("1")), opaque("result", returned("1", "x" * 1000))]
    assert ids(last_messages(items, 9, 1000)) == ["call", "result"]


def test_nothing_is_cut_off_what_fits():
    assert shown_of([item("a")], Window(1)) == ([item("a")], False)
    assert shown_of([], Window(1)) == ([], False)


STEPS = st.lists(
    st.sampled_from(["user", "why", *(f"call {n}" for n in "12"), *(f"result {n}" for n in "12")]), max_size=14
)


def story(steps: list[str]) -> list[ChatMessage]:
    contents = {"user": "hello", "why": REASONING}
    contents |= {f"call {n}": called(n) for n in "12"} | {f"result {n}": returned(n) for n in "12"}
    return [opaque(f"{number} {step}", contents[step]) for number, step in enumerate(steps)]


@given(STEPS, st.integers(1, 8))
def test_a_snapshot_keeps_all_that_is_shown_now_or_after_more_messages(steps: list[str], limit: int):
    items, window = story(steps), Window(limit)
    kept = items[first_kept(items, window) :]
    assert len(kept) <= 2 * limit
    assert first_kept(items, window) <= first_shown(items, window)
    for more in range(3):
        later = [item(f"later {number}") for number in range(more)]
        whole, _ = shown_of([*items, *later], window)
        cut, _ = shown_of([*kept, *later], window, is_cut=len(kept) < len(items))
        assert ids(cut) == [name for name in ids(whole) if name in ids(cut)]
        calls = {call for one in kept for call in "12" if one.content == called(call)}
        orphans = {one.id for one in kept for call in "12" if one.content == returned(call) and call not in calls}
        assert set(ids(whole)) - set(ids(cut)) <= orphans


@given(STEPS, st.integers(1, 8))
def test_pages_are_all_messages_each_once(steps: list[str], limit: int):
    items = story(steps)
    left, read = list(items), list[ChatMessage]()
    while left:
        page = page_of(left, limit)
        read = page.items + read
        assert page.items
        assert page.before == (page.items[0].id if len(page.items) < len(left) else None)
        left = left[: len(left) - len(page.items)]
    assert read == items
    assert page_of([], limit) == ([], None)


def test_a_page_is_whole_groups_and_longer_only_if_its_last_group_is():
    call, result = PAIRS["a function call"]
    items = [item("a"), call, result, item("b")]
    assert [(ids(page_of(items, limit).items), page_of(items, limit).before) for limit in (1, 2, 3, 4)] == [
        (["b"], "b"),
        (["b"], "b"),
        (["call", "result", "b"], "call"),
        (["a", "call", "result", "b"], None),
    ]
    assert ids(page_of(items[:3], 1).items) == ["call", "result"]
