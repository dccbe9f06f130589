"""A question that is asked again after its answer broke off: it goes on with the log, and no call runs twice."""

import asyncio
from typing import Any

import pytest

from simulation.scripted_model import Script
from tests.support.chats import text_of
from tests.support.tab_chats import NOTE, WAIT, TabChats
from waypost_worker.chat.unfinished import MISSED_INTERVALS
from waypost_worker.errors import ModelFailed
from waypost_worker.models.model import Reasoning, ToolUse
from waypost_worker.polling.plans import PAID

ABANDONED_SECONDS = PAID.chunk_ms * MISSED_INTERVALS / 1000 + 2.5
LONG = ToolUse("c", "wait", {"seconds": 30})


async def broken_off(*scripts: Script, seconds: float) -> TabChats:
    """A thread whose generating isolate dies so many seconds after the question `m1`, and is known to be gone. The tab
    is elsewhere."""
    at = TabChats(*scripts)
    await at.open_tab(at=at.elsewhere)
    asking = asyncio.ensure_future(at.open(messageId="m1", **at.naming_tab()))
    await asyncio.sleep(seconds)
    at.evict()
    asking.cancel()
    await asyncio.sleep(ABANDONED_SECONDS)
    return at


async def test_a_call_that_has_its_result_is_not_made_again():
    at = await broken_off(["I note it. ", NOTE], ["It is", 60.0], ["It is noted."], seconds=8)
    assert len(at.tab.runs) == 1
    stream = await at.told(messageId="m1")
    assert len(at.tab.runs) == 1
    assert text_of(stream) == "I note it. It is noted."
    assert stream.names() == ["start", "delta", "tool_call", "tool_result", "delta", "done"]
    assert await at.history() == ["user: Hi", "assistant: I note it. It is noted."]
    assert [item.role for item in at.model.asked[2]] == ["system", "user", "assistant", "tool"]


async def test_a_call_that_is_running_is_waited_for():
    at = await broken_off(["I wait. ", LONG], ["Waited."], seconds=10)
    assert len(at.tab.runs) == 1
    assert at.tab.cancelled == []
    stream = await at.told(messageId="m1")
    assert len(at.tab.runs) == 1
    assert stream.data("tool_result")[0]["result"] == "waited"
    assert [event["progress"] for event in stream.data("tool_progress")] == ["running"]
    assert text_of(stream) == "I wait. Waited."


async def test_a_call_whose_result_came_after_the_death_is_not_made_again():
    at = await broken_off(["I wait. ", WAIT], ["Waited."], seconds=1.5)
    await asyncio.sleep(10)
    stream = await at.told(messageId="m1")
    assert len(at.tab.runs) == 1
    assert stream.data("tool_result")[0]["result"] == "waited"


async def test_a_call_that_was_written_down_and_not_sent_is_made():
    at = TabChats(["I note it. ", NOTE], ["Noted."])
    await at.open_tab(at=at.elsewhere)
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("req:")
    asking = asyncio.ensure_future(at.open(messageId="m1", **at.naming_tab()))
    await asyncio.sleep(2)
    at.evict()
    asking.cancel()
    at.kv.fails = lambda operation, key: False
    await asyncio.sleep(ABANDONED_SECONDS)
    assert at.tab.runs == []
    assert await at.log() == [("call", "add_note")]
    await at.told(messageId="m1")
    assert len(at.tab.runs) == 1
    assert await at.log() == [("call", "add_note"), ("result", {"noted": "Milk"})]


async def test_the_same_call_has_the_same_id_in_an_attempt_that_does_not_know_the_first_one():
    at = TabChats([NOTE], ["Noted."], [NOTE], ["Noted."])
    await at.open_tab(at=at.elsewhere)
    await at.told(messageId="m1")
    for key in await at.keys():
        if key.startswith(("conv:", "gen:", "thread:")):
            await at.kv.kv.delete(key)
    at.evict()
    stream = await at.told(messageId="m1", at=at.elsewhere)
    assert [id for id, _, _ in at.tab.runs] == [call["id"] for call in stream.data("tool_call")]
    assert stream.data("tool_result")[0]["result"] == {"noted": "Milk"}


async def test_another_call_at_the_same_place_has_another_id():
    at = TabChats([NOTE], ["Noted."], [ToolUse("c", "add_note", {"text": "Eggs"})], ["Noted."])
    await at.open_tab(at=at.elsewhere)
    await at.told(messageId="m1")
    for key in await at.keys():
        if key.startswith(("conv:", "gen:", "thread:")):
            await at.kv.kv.delete(key)
    at.evict()
    stream = await at.told(messageId="m1", at=at.elsewhere)
    assert [args["text"] for _, _, args in at.tab.runs] == ["Milk", "Eggs"]
    assert stream.data("tool_result")[0]["result"] == {"noted": "Eggs"}


async def test_the_attempt_may_die_too_and_the_next_one_goes_on_from_what_both_have_done():
    at = await broken_off(["One ", NOTE], ["two ", WAIT], ["three."], seconds=3)
    asking = asyncio.ensure_future(at.open(messageId="m1", **at.naming_tab()))
    # The second attempt has inherited the first call, and dies before it has written anything of its own.
    await asyncio.sleep(0.5)
    at.evict()
    asking.cancel()
    await asyncio.sleep(ABANDONED_SECONDS)
    stream = await at.told(messageId="m1")
    assert [tool for _, tool, _ in at.tab.runs] == ["add_note", "wait"]
    assert text_of(stream) == "One two three."


async def test_an_answer_whose_model_failed_goes_on_behind_its_last_result():
    at = TabChats([Reasoning("Hm. "), "One ", NOTE], [Reasoning("So. "), "two", ModelFailed("It fails.")], ["two."])
    await at.open_tab()
    stream = await at.told(messageId="m1")
    assert stream.data("error")[0]["code"] == "model_failed"
    stream = await at.told(messageId="m1")
    assert len(at.tab.runs) == 1
    assert text_of(stream) == "One two."
    assert (await at.items())[1].reasoning == "Hm. "


async def test_a_whole_answer_is_replayed_with_its_log():
    at = TabChats([NOTE], ["Noted."])
    await at.open_tab()
    first = await at.told(messageId="m1")
    second = await at.told(messageId="m1", at=at.elsewhere)
    assert second.names() == first.names()
    assert second.data("tool_result") == first.data("tool_result")
    assert len(at.model.asked) == 2


async def test_in_another_tab_the_open_call_is_not_made_again():
    at = await broken_off(["I wait. ", LONG], ["I don't know."], seconds=3)
    first = at.tab
    await at.open_tab()
    stream = await at.told(messageId="m1")
    assert (await at.error())["code"] == "other_tab"
    assert (len(first.runs), at.tab.runs) == (1, [])
    assert text_of(stream) == "I wait. I don't know."


async def test_without_a_tab_the_open_call_is_not_made_again():
    at = await broken_off(["I wait. ", LONG], ["I don't know."], seconds=3)
    await at.turn(messageId="m1")
    assert (await at.error())["code"] == "other_tab"


async def test_another_text_under_the_same_id_is_another_question():
    at = await broken_off(["I note it. ", NOTE], ["It is", 60.0], ["You said Ho."], seconds=5)
    stream = await at.told("Ho", messageId="m1")
    assert text_of(stream) == "You said Ho."
    assert await at.history() == ["user: Ho", "assistant: You said Ho."]


@pytest.mark.parametrize(("is_abandoned", "runs"), [(True, 1), (False, 2)])
async def test_a_page_that_wants_another_answer_gets_one_unless_the_first_one_broke_off(is_abandoned: bool, runs: int):
    """The AI SDK's page sends `regenerate` for both."""
    scripts: list[Any] = [[NOTE], ["Noted."], [NOTE], ["Noted again."]]
    if is_abandoned:
        scripts[1] = ["No", 60.0]
    at = TabChats(*scripts)
    await at.open_tab(at=at.elsewhere)
    asking = asyncio.ensure_future(at.ask_ui(**at.naming_tab()))
    await asyncio.sleep(5)
    if is_abandoned:
        at.evict()
        asking.cancel()
        await asyncio.sleep(ABANDONED_SECONDS)
        at.model._scripts = [[], [], ["Noted again."]]
    else:
        await asking
    reply = await at.ask_ui(trigger="regenerate-message", **at.naming_tab())
    assert b"Noted again." in reply.body
    assert len(at.tab.runs) == runs


async def test_readers_elsewhere_follow_the_calls_too():
    at = TabChats(["I wait. ", WAIT], ["Done."])
    await at.open_tab()
    asking = asyncio.ensure_future(at.told(messageId="m1"))
    await asyncio.sleep(3)
    stream = await at.resumed(at.elsewhere)
    await stream.until_over()
    first = await asking
    assert stream.data("tool_result") == first.data("tool_result")
    assert text_of(stream) == text_of(first)
