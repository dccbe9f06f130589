"""A chat that uses a tab: the model's calls run there, and their results go back to the model."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from simulation.client import make_client
from simulation.scripted_model import ScriptedModel
from simulation.tab import Say
from tests.support.chats import ADA, THREAD, text_of
from tests.support.limiters import Budget
from tests.support.tab_chats import BUY, NOTE, WAIT, TabChats
from waypost_worker.errors import ModelFailed
from waypost_worker.limits import (
    MAX_CALLS_PER_REPLY,
    MAX_CALLS_PER_STEP,
    MAX_TOOL_ARGS_BYTES,
    MAX_TOOL_LOG_BYTES,
    MAX_TOOL_RESULT_BYTES,
)
from waypost_worker.models.model import ToolUse
from waypost_worker.polling.plans import PAID, Plan
from waypost_worker.security.rate_limits import Limit


async def test_a_call_of_the_model_runs_in_the_tab_and_its_result_goes_back():
    at = TabChats(["I note it. ", NOTE], ["It is noted."])
    await at.open_tab()
    stream = await at.told(messageId="m1")
    assert stream.names() == ["start", "delta", "tool_call", "tool_result", "delta", "done"]
    assert text_of(stream) == "I note it. It is noted."
    [(id, tool, args)] = at.tab.runs
    assert (tool, args) == ("add_note", {"text": "Milk"})
    [call], [result] = stream.data("tool_call"), stream.data("tool_result")
    assert call == {"id": id, "name": "add_note", "arguments": {"text": "Milk"}, "step": 0}
    assert result == {"id": id, "result": {"noted": "Milk"}, "isError": False}
    assert await at.history() == ["user: Hi", "assistant: I note it. It is noted."]
    assert await at.log() == [("call", "add_note"), ("result", {"noted": "Milk"})]
    assert [item.role for item in at.model.asked[1]] == ["system", "user", "assistant", "tool"]


async def test_the_model_is_offered_the_tab_s_tools_under_names_that_it_takes():
    at = TabChats([BUY], ["Well."])
    await at.open_tab()
    await at.told()
    assert [tool.name for tool in at.model.tools[0]] == ["add_note", "shop_buy", "wait"]
    assert [tool for _, tool, _ in at.tab.runs] == ["shop.buy"]


async def test_without_a_session_the_model_is_offered_no_tools_and_none_is_called():
    at = TabChats([NOTE], ["Well."])
    await at.open_tab()
    await at.turn()
    assert at.model.tools == [[], []]
    assert at.tab.runs == []
    assert (await at.error())["code"] == "unknown_tool"


async def test_an_answer_of_calls_alone_is_kept():
    at = TabChats([NOTE], ModelFailed("It fails."))
    at.model = ScriptedModel([NOTE], [ModelFailed("It fails.")])
    at.here = at._new(0, at.own_kv)
    await at.open_tab()
    stream = await at.told()
    assert stream.names() == ["start", "tool_call", "tool_result", "error", "done"]
    assert await at.history() == ["user: Hi", "assistant:  (partial)"]
    assert await at.log() == [("call", "add_note"), ("result", {"noted": "Milk"})]


async def test_what_is_said_after_a_call_does_not_touch_what_was_said_before_it():
    at = TabChats(["I note it.", NOTE], ["It is", " noted."])
    await at.open_tab()
    stream = await at.told()
    assert text_of(stream) == "I note it. It is noted."
    assert await at.history() == ["user: Hi", "assistant: I note it. It is noted."]
    # The model is given its replies as it made them.
    await at.told("And now?")
    assert [str(item.content) for item in at.model.asked[2] if item.role == "assistant"] == [
        "I note it.",
        "It is noted.",
    ]


async def test_the_calls_of_one_reply_run_at_the_same_time():
    at = TabChats([WAIT, WAIT, NOTE], ["Done."])
    await at.open_tab()
    stream = await at.told()
    assert [tool for _, tool, _ in at.tab.runs] == ["wait", "wait", "add_note"]
    assert len({id for id, _, _ in at.tab.runs}) == 3
    assert stream.events[-1].at < 6
    assert [result["result"] for result in stream.data("tool_result")] == [{"noted": "Milk"}, "waited", "waited"]


async def test_what_the_tab_says_meanwhile_is_shown_and_kept_and_not_given_to_the_model():
    at = TabChats([WAIT], ["Done."])
    await at.open_tab()
    stream = await at.told()
    assert stream.names() == ["start", "tool_call", "tool_progress", "tool_result", "delta", "done"]
    assert stream.data("tool_progress")[0]["progress"] == "running"
    assert await at.log() == [("call", "wait"), ("progress", "running"), ("result", "waited")]
    assert "running" not in str(at.model.asked[1])


async def test_an_error_of_the_tool_goes_to_the_model_with_its_code():
    at = TabChats([BUY], ["As you like."])
    await at.open_tab()
    stream = await at.told()
    assert stream.data("tool_result")[0]["isError"] is True
    assert await at.error() == {"code": "refused", "message": "The user refused."}
    assert "The user refused." in str(at.model.asked[1][-1].content)


async def test_a_call_may_lead_to_the_next_one():
    at = TabChats(["One ", NOTE], ["two ", NOTE], ["three."])
    await at.open_tab()
    stream = await at.told()
    assert [call["step"] for call in stream.data("tool_call")] == [0, 1]
    assert len({id for id, _, _ in at.tab.runs}) == 2
    assert [item.role for item in at.model.asked[2]][-4:] == ["assistant", "tool", "assistant", "tool"]
    assert text_of(stream) == "One two three."


async def test_in_the_last_step_the_model_is_offered_no_tools():
    at = TabChats([NOTE], [NOTE], ["Enough."], max_steps=3)
    await at.open_tab()
    await at.told()
    assert [len(tools) for tools in at.model.tools] == [3, 3, 0]


async def test_a_model_that_calls_in_its_last_step_all_the_same_is_cut_off():
    at = TabChats([NOTE], max_steps=2)
    await at.open_tab()
    stream = await at.told()
    assert len(at.tab.runs) == 1
    assert stream.data("tool_result")[1]["result"]["code"] == "step_limit"
    assert stream.data("done")[0]["finishReason"] == "length"


async def test_in_the_last_step_a_tool_that_there_is_not_is_an_unknown_one():
    at = TabChats([ToolUse("c", "sell", {})], max_steps=1)
    await at.open_tab()
    await at.told()
    assert (await at.error())["code"] == "unknown_tool"


async def test_a_call_may_take_long_while_the_tab_is_there():
    at = TabChats([ToolUse("c", "wait", {"seconds": 100})], ["Done."])
    await at.open_tab()
    stream = await at.told()
    assert stream.data("tool_result")[0]["result"] == "waited"


@pytest.mark.parametrize(
    ("use", "code"),
    [
        (ToolUse("c", "sell", {}), "unknown_tool"),
        (ToolUse("c", "add_note", None, "The arguments are no JSON object."), "invalid_arguments"),
        (ToolUse("c", "add_note", {"text": "x" * MAX_TOOL_ARGS_BYTES}), "invalid_arguments"),
    ],
)
async def test_a_call_that_can_t_be_made_is_told_to_the_model_and_to_readers(use: ToolUse, code: str):
    at = TabChats([use], ["Sorry."])
    await at.open_tab()
    stream = await at.told()
    assert stream.names() == ["start", "tool_call", "tool_result", "delta", "done"]
    assert (await at.error())["code"] == code
    assert at.tab.runs == []
    assert at.model.asked[1][-1].role == "tool"


async def test_calls_beyond_the_limit_of_a_reply_are_not_made():
    at = TabChats([NOTE] * (MAX_CALLS_PER_STEP + 1), ["Done."])
    await at.open_tab()
    stream = await at.told()
    assert len(at.tab.runs) == MAX_CALLS_PER_STEP
    [failed] = [result for result in stream.data("tool_result") if result["isError"]]
    assert failed["result"]["code"] == "too_many_calls"


async def test_a_reply_that_does_not_come_to_an_end_with_its_calls_fails():
    at = TabChats([NOTE] * (MAX_CALLS_PER_REPLY + 1))
    await at.open_tab()
    error = await at.failed(**at.naming_tab())
    assert error["code"] == "model_failed"
    assert at.tab.runs == []


async def test_a_tab_that_is_away_is_told_with_since_when():
    at = TabChats([NOTE], ["It is closed."])
    await at.open_tab()
    await at.close_tab()
    stream = await at.told()
    error = await at.error()
    assert error["code"] == "tab_away"
    assert "away since 20" in error["message"]
    assert stream.events[-1].at < 15


async def test_a_tab_that_was_never_there_offers_nothing():
    at = TabChats([NOTE], ["No."])
    opened = await at.here.open_session()
    await at.turn(session={"code": opened.code})
    assert at.model.tools[0] == []


async def test_a_tab_that_never_listened_is_told_so():
    at = TabChats([NOTE], ["It is closed."])
    await at.open_tab()
    at.listening.cancel()
    for key in await at.keys("host:"):
        await at.kv.kv.delete(key)
    await at.told(at=at.elsewhere)
    assert "has not been there yet" in (await at.error())["message"]


async def test_a_call_that_takes_too_long_is_cancelled_in_the_tab_and_the_answer_goes_on():
    at = TabChats([ToolUse("c", "wait", {"seconds": 500})], ["Too slow."], tool_seconds=20)
    await at.open_tab()
    stream = await at.told()
    assert (await at.error())["code"] == "timed_out"
    assert text_of(stream) == "Too slow."
    await asyncio.sleep(1)
    assert at.tab.cancelled == [at.tab.runs[0][0]]


async def test_a_stop_cancels_the_open_call_in_the_tab_and_says_so_in_the_log():
    at = TabChats(["I wait. ", ToolUse("c", "wait", {"seconds": 50})], ["Done."])
    await at.open_tab()
    stream = await at.ask(**at.naming_tab())
    await asyncio.sleep(1)
    assert (await at.stop())["stopped"]
    await stream.until_over()
    await asyncio.sleep(1)
    assert at.tab.cancelled == [at.tab.runs[0][0]]
    assert (await at.error())["code"] == "stopped"
    assert stream.names()[-2:] == ["tool_result", "done"]


async def test_a_result_that_is_too_long_is_cut_for_the_model_and_it_says_so():
    async def read(_args: Any, _say: Say) -> Any:
        return "x" * 100_000

    at = TabChats([ToolUse("c", "read", {})], ["Long."])
    await at.open_tab({"read": read})
    await at.told()
    result = (await at.items())[-1].tool_events[1].value
    assert result.startswith("x" * (MAX_TOOL_RESULT_BYTES - 1) + "\n[The result was cut here")
    assert "100002 bytes" in result
    assert "[The result was cut here" in str(at.model.asked[1][-1].content)


async def test_the_results_of_one_answer_have_a_limit_together():
    async def read(_args: Any, _say: Say) -> Any:
        return "x" * 100_000

    use = ToolUse("c", "read", {})
    at = TabChats([use] * 5, [use] * 2, [use], ["Long."])
    await at.open_tab({"read": read})
    await at.told()
    results = [event.value for event in (await at.items())[-1].tool_events if event.kind == "result"]
    assert "left out" in results[6]
    assert results[7]["code"] == "too_much"
    assert len(at.tab.runs) == 7
    assert sum(map(len, results[:7])) < MAX_TOOL_LOG_BYTES + 2_000


async def test_calls_spend_the_budget_of_the_session_s_guests():
    at = TabChats([NOTE, NOTE], ["Well."])
    limiters = {Limit.REQUEST: Budget(1)}
    at.here = make_client(at.settings, at.own_kv, limiters, model=at.model)
    await at.open_tab()
    stream = await at.told()
    assert len(at.tab.runs) == 1
    [failed] = [result["result"] for result in stream.data("tool_result") if result["isError"]]
    assert failed["code"] == "rate_limited"


async def test_each_further_reply_counts_as_a_question_and_goes_on_when_asked_again():
    at = TabChats(["First. ", NOTE], ["Second."])
    budget = Budget(1)
    at.here = make_client(at.settings, at.own_kv, {Limit.ANSWER: budget}, model=at.model)
    await at.open_tab()
    stream = await at.told(messageId="m1")
    assert stream.data("error")[0]["code"] == "rate_limited"
    assert len(at.model.asked) == 1
    assert await at.history() == ["user: Hi", "assistant: First.  (partial)"]
    budget.uses = 3
    assert text_of(await at.told(messageId="m1")) == "First. Second."
    assert len(at.tab.runs) == 1


async def test_a_call_that_can_t_be_written_down_is_not_made():
    at = TabChats(["I note it. ", NOTE], ["I can't."])
    await at.open_tab()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("gen:")
    stream = await at.told()
    assert at.tab.runs == []
    assert (await at.error())["code"] == "storage_unavailable"
    assert text_of(stream) == "I note it. I can't."


async def test_a_call_waits_for_the_chunk_that_is_being_written():
    at = TabChats(["One ", 1.3, "two ", NOTE], ["three."])
    await at.open_tab()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("gen:")
    asking = asyncio.ensure_future(at.told())
    await asyncio.sleep(2)
    assert at.tab.runs == []
    at.kv.fails = lambda operation, key: False
    await asking
    assert len(at.tab.runs) == 1
    assert await at.history() == ["user: Hi", "assistant: One two three."]


async def test_a_request_that_the_store_refuses_is_told_to_the_model():
    at = TabChats([NOTE], ["I can't."])
    await at.open_tab(at=at.elsewhere)
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("req:")
    await at.told()
    assert at.tab.runs == []
    assert (await at.error())["code"] == "storage_unavailable"


async def test_a_guest_s_token_names_the_session_too_also_where_a_code_does_not():
    at = TabChats([NOTE], ["Noted."], require_token=True)
    await at.open_tab()
    problem = await at.refused(**at.naming_tab())
    assert problem["code"] == "token_required"
    token = await at.here.join(at.tab.opened.code)
    await at.turn(session={"token": token})
    assert len(at.tab.runs) == 1


async def test_a_session_that_can_t_be_used_refuses_the_question():
    at = TabChats()
    await at.open_tab()
    session = at.tab.opened
    assert (await at.refused(session={"code": "AAAAAAAA"}))["code"] == "session_not_found"
    assert (await at.refused(session={"code": "no code"}))["code"] == "invalid_code"
    assert (await at.refused(session={"token": session.host}))["code"] == "wrong_role"
    assert (await at.refused(session={}))["code"] == "invalid_body"
    assert (await at.refused(session={"code": session.code, "token": session.host}))["code"] == "invalid_body"
    await at.here.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    assert (await at.refused(**at.naming_tab()))["code"] == "session_ended"
    assert await at.history() == []
    assert at.model.asked == []


async def test_the_ai_sdk_s_body_names_the_session_too():
    at = TabChats([NOTE], ["Noted."])
    await at.open_tab()
    reply = await at.ask_ui(**at.naming_tab())
    assert reply.status == 200
    assert len(at.tab.runs) == 1
    assert b"tool-output-available" in reply.body


async def test_a_fork_may_ask_the_tab():
    at = TabChats(["Hello."], [NOTE], ["Noted."])
    await at.open_tab()
    await at.turn()
    body = {"forkFromThreadId": THREAD, "threadId": "f", "resourceId": ADA, "message": "Note it.", **at.naming_tab()}
    reply = await at.here.call("POST", "/api/chat/fork", body)
    assert reply.status == 200, reply.body
    assert len(at.tab.runs) == 1
    assert [item.tool_events != [] for item in await at.items("f")] == [False, False, False, True]


async def test_tools_that_another_version_stored_are_checked_again():
    at = TabChats(["Hi."])
    await at.open_tab()
    code = at.tab.opened.code
    await at.kv.kv.put(f"tools:{code}", '[{"name":"bad name"},{"name":"good"}]', ttl_seconds=600, metadata="v")
    record = (await at.kv.kv.get(f"session:{code}")) or ""
    assert '"toolsRules":1' in record
    await at.kv.kv.put(f"session:{code}", record.replace('"toolsRules":1', '"toolsRules":0'), ttl_seconds=600)
    await at.turn(at=at.elsewhere, **at.naming_tab())
    assert [tool.name for tool in at.model.tools[0]] == ["good"]


async def test_an_answer_that_has_used_up_its_operations_makes_no_call():
    at = TabChats([NOTE], ["I can't."], plan=_plan(60))
    await at.open_tab()
    await at.told()
    assert at.tab.runs == []
    assert (await at.error())["code"] == "budget_spent"


async def test_a_call_that_uses_up_the_operations_is_cancelled():
    at = TabChats([ToolUse("c", "wait", {"seconds": 300})], ["I can't."], plan=_plan(140))
    await at.open_tab(at=at.elsewhere)
    stream = await at.told()
    assert (await at.error())["code"] == "budget_spent"
    assert text_of(stream) == "I can't."
    assert len(at.tab.runs) == 1


def _plan(operations: int) -> Plan:
    return replace(PAID, operations_per_invocation=operations)
