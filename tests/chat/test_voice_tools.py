"""A voice agent that uses a tab: its calls run there, and the answer is said in time, finished or not."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from simulation.client import Reply
from simulation.scripted_model import Script, ScriptedModel
from simulation.tab import Tab, Tool
from simulation.virtual_time import START_MS
from tests.support.chats import told
from tests.support.limiters import Budget
from tests.support.tab_chats import BUY, NOTE, TOOLS
from tests.support.voice import Setting
from waypost_worker.chat.voice import CUT_OFF, TIME_IS_UP
from waypost_worker.errors import ModelFailed
from waypost_worker.models.model import AnswerCutOff, ToolUse
from waypost_worker.security.rate_limits import Limit

LONG = ToolUse("c3", "wait", {"seconds": 60})


class TabVoice(Setting):
    """A voice agent with a tab; `open_tab` comes before the first question."""

    tab: Tab

    async def open_tab(self, tools: Mapping[str, Tool] = TOOLS) -> None:
        self.tab = Tab(lambda: self.client, await self.client.open_session(), tools)
        await self.tab.offer()
        self.listening = asyncio.ensure_future(self.tab.connect())
        await self.tab.was_connected.wait()

    async def said(self, **body: Any) -> Reply:
        return await self.ask(session={"code": self.tab.opened.code}, **body)

    async def log(self) -> list[Any]:
        """What the last answer's tools did, in short."""
        events = (await self.conversation().read())[-1].tool_events
        return [event.name or event.value for event in events]

    @property
    def seconds(self) -> float:
        return (self.clock.now_ms() - START_MS) / 1000


async def heard(*scripts: Script, **settings: Any) -> tuple[TabVoice, Any]:
    """The reply to a question that may use a tab."""
    at = TabVoice(*scripts, **settings)
    await at.open_tab()
    reply = await at.said()
    assert reply.status == 200, reply.body
    return at, reply.json()


async def test_a_call_runs_in_the_tab_and_the_answer_tells_what_came_of_it():
    at, reply = await heard(["I note it.", NOTE], ["It is noted."])
    assert [(tool, args) for _, tool, args in at.tab.runs] == [("add_note", {"text": "Milk"})]
    assert reply == {"response": "I note it. It is noted.", "sessionId": reply["sessionId"], "messageCount": 2}
    assert await at.history() == ["user: Hi", "assistant: I note it. It is noted."]
    assert await at.log() == ["add_note", {"noted": "Milk"}]
    assert [item.role for item in at.model.asked[1]] == ["system", "user", "assistant", "tool"]


async def test_the_next_question_knows_what_the_tools_did():
    at, _ = await heard([NOTE], ["It is noted."], ["As I said."])
    await at.ask("And now?")
    assert [item.role for item in at.model.asked[2]] == ["user", "assistant", "tool", "assistant", "user"]
    assert at.model.tools[2] == []


async def test_a_call_that_takes_too_long_is_cancelled_and_the_model_says_so_in_time():
    at, reply = await heard(["One moment.", LONG], [1.0, "The page is slow."], voice_seconds=12)
    assert reply["response"] == "One moment. The page is slow."
    assert "partial" not in reply
    assert at.seconds == 9
    assert at.tab.cancelled == [at.tab.runs[0][0]]
    [_, _, result] = await at.log()
    assert result["code"] == "timed_out"
    assert "has not answered for 8 s" in str(at.model.asked[1][-1].content)
    # What it can't do any more it is not offered.
    assert [len(tools) for tools in at.model.tools] == [3, 0]


async def test_a_call_that_comes_when_the_time_for_calls_is_over_is_not_made():
    at, reply = await heard([9.0, NOTE], ["I could not."])
    assert at.tab.runs == []
    assert reply["response"] == "I could not."
    assert (await at.log())[1]["code"] == "timed_out"


async def test_a_model_that_says_nothing_more_in_time_has_a_sentence_in_its_place():
    at, reply = await heard(["I look.", LONG], [60.0, "Late."])
    assert (reply["response"], reply["partial"]) == (f"I look. {TIME_IS_UP}", True)
    assert at.seconds == 12
    assert await at.history() == ["user: Hi", f"assistant: I look. {TIME_IS_UP} (partial)"]
    assert at.model.ended == 2
    at, reply = await heard([60.0, "Late."])
    assert (reply["response"], reply["partial"]) == (TIME_IS_UP, True)


async def test_an_answer_that_is_being_said_when_its_time_is_over_is_spoken_as_far_as_it_goes():
    _, reply = await heard([NOTE], ["It is ", 11.0, "noted, ", 11.0, "I think."])
    assert (reply["response"], reply["partial"]) == ("It is noted, ", True)


async def test_a_call_that_is_open_when_all_the_time_is_over_is_cancelled_too():
    at = TabVoice([LONG], ["Never."], voice_seconds=6)
    await at.open_tab()
    # The store takes the cancellation late.
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("req:") and at.seconds > 1
    asking = asyncio.ensure_future(at.said())
    reply = (await asking).json()
    assert at.seconds == 6
    at.kv.fails = lambda operation, key: False
    assert (reply["response"], reply["partial"]) == (TIME_IS_UP, True)
    assert (await at.log())[-1]["code"] == "stopped"
    await at.client.settle()
    assert set(at.tab.cancelled) == {at.tab.runs[0][0]}


async def test_that_the_tab_is_away_is_told_before_the_time_is_over():
    at = TabVoice([NOTE], ["The page is closed."])
    await at.open_tab()
    at.listening.cancel()
    await asyncio.sleep(400)
    began = at.seconds
    reply = await at.said()
    assert reply.json()["response"] == "The page is closed."
    assert (await at.log())[1]["code"] == "tab_away"
    assert at.seconds - began < 8


async def test_a_refusal_in_the_tab_is_told_to_the_model():
    at, reply = await heard([BUY], ["As you like."])
    assert reply["response"] == "As you like."
    assert (await at.log())[1] == {"code": "refused", "message": "The user refused."}


async def test_an_answer_that_ends_with_calls_alone_says_that_it_is_not_finished():
    _, reply = await heard(["I try.", NOTE], max_steps=1)
    assert reply["response"] == f"I try. {CUT_OFF}"
    _, reply = await heard([NOTE], ["Noted", AnswerCutOff("length")])
    assert reply["response"] == "Noted"


async def test_what_tools_have_done_is_kept_also_if_the_model_fails_then():
    at = TabVoice(["I note it.", NOTE], [ModelFailed("No.")])
    await at.open_tab()
    reply = await at.said()
    assert (reply.status, reply.json()["code"]) == (502, "model_failed")
    assert await at.history() == ["user: Hi", "assistant: I note it. (partial)"]
    assert await at.log() == ["add_note", {"noted": "Milk"}]


async def test_a_model_that_fails_before_any_call_leaves_nothing():
    at = TabVoice([ModelFailed("No.")])
    await at.open_tab()
    assert (await at.said()).status == 502
    assert await at.history() == []


async def test_each_further_reply_counts_as_a_question_does():
    at = TabVoice([NOTE], ["Noted."])
    at.client = at.isolate(0)
    at.client.app._limits._limiters = {Limit.ANSWER: Budget(1)}
    await at.open_tab()
    reply = await at.said()
    assert (reply.status, reply.json()["code"]) == (429, "rate_limited")
    assert await at.log() == ["add_note", {"noted": "Milk"}]


async def test_a_client_that_goes_away_leaves_the_answer_to_be_kept():
    at = TabVoice([NOTE, LONG], [1.0, "Done."])
    await at.open_tab()
    asking = asyncio.ensure_future(at.said())
    await asyncio.sleep(1)
    asking.cancel()
    await asyncio.sleep(20)
    assert await at.history() == ["user: Hi", "assistant: Done."]


async def test_an_isolate_that_ends_in_the_middle_of_a_call_ends_the_wait_for_it():
    at = TabVoice([LONG], ["Done."])
    await at.open_tab()
    asking = asyncio.ensure_future(at.said())
    await asyncio.sleep(1)
    for task in at.client.background:
        task.cancel()
    assert (await asking).json()["detail"] == "The model broke off."


@pytest.mark.parametrize(
    ("session", "status", "code"),
    [
        ({}, 400, "invalid_body"),
        ({"code": "K7Q2M9XA", "token": "t"}, 400, "invalid_body"),
        ({"code": "K7Q2M9XA"}, 404, "session_not_found"),
        ({"code": "no code"}, 400, "invalid_code"),
        ({"token": "no-token"}, 401, "invalid_token"),
    ],
)
async def test_a_session_that_can_not_be_used_refuses_the_question(session: Any, status: int, code: str):
    at = TabVoice()
    reply = await at.ask(session=session)
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert at.model.asked == []


async def test_a_tab_may_be_named_by_a_guest_s_token():
    at = TabVoice([NOTE], ["Noted."])
    await at.open_tab()
    token = await at.client.join(at.tab.opened.code)
    assert (await at.ask(session={"token": token})).json()["response"] == "Noted."
    assert len(at.tab.runs) == 1


async def test_a_tab_without_tools_changes_nothing_of_the_prompt():
    at = TabVoice()
    await at.open_tab({})
    await at.said()
    assert [told(item) for item in at.model.asked[0]] == ["user: Hi"]
    assert isinstance(at.model, ScriptedModel)
