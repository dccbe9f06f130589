"""An isolate that KV refuses seems to be gone: another attempt takes its answer over, and the two do not go on side by
side."""

import asyncio
from typing import Any

from simulation.scripted_model import Script
from simulation.tab import Say
from tests.support.chats import text_of
from tests.support.listener import Listener
from tests.support.tab_chats import NOTE, TabChats
from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.models.model import ToolUse

SILENT_SECONDS = 9
"""After which the first attempt seems to be gone."""


async def silent(at: TabChats) -> Listener:
    """The answer of an isolate whose chunks are refused from its second one on, once it seems to be gone."""
    await at.open_tab(at=at.elsewhere)
    first = await at.begin(messageId="m1", **at.naming_tab())
    await asyncio.sleep(1.5)
    refused = f"gen:{first.data('start')[0]['generationId']}"
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith(refused)
    await asyncio.sleep(SILENT_SECONDS - 1.5)
    return first


def recovers(at: TabChats) -> None:
    """KV takes all writes again."""
    at.kv.fails = lambda operation, key: False


def taken_away(first: Listener) -> bool:
    """Whether the first attempt ended with the word that it is gone on with elsewhere."""
    return [error["code"] for error in first.data("error")] == ["answer_broken_off"]


async def test_the_open_call_of_an_answer_that_is_taken_over_is_the_next_attempt_s():
    at = TabChats(["One ", ToolUse("c", "wait", {"seconds": 14})], ["two ", NOTE], ["three."])
    first = await silent(at)
    asking = asyncio.ensure_future(at.told(messageId="m1", at=at.elsewhere))
    await asyncio.sleep(1)
    recovers(at)
    stream = await asking
    assert text_of(stream) == "One two three."
    assert [tool for _, tool, _ in at.tab.runs] == ["wait", "add_note"]
    assert at.tab.cancelled == []
    await first.until_over()
    assert taken_away(first)
    assert await at.history() == ["user: Hi", "assistant: One two three."]


async def test_an_attempt_that_was_taken_over_makes_no_call():
    scripts: list[Script] = [["One ", 13.2, ToolUse("c", "add_note", {"text": "Eggs"})], ["Two ", NOTE], ["three."]]
    at = TabChats(*scripts)
    first = await silent(at)
    stream = await at.told(messageId="m1", at=at.elsewhere)
    await asyncio.sleep(3.9)
    recovers(at)
    await first.until_over()
    assert text_of(stream) == "Two three."
    assert [args["text"] for _, _, args in at.tab.runs] == ["Milk"]
    assert taken_away(first)
    assert await at.history() == ["user: Hi", "assistant: Two three."]


async def test_an_answer_that_was_taken_over_is_not_shown_as_whole():
    at = TabChats(["One ", 10.0, "end."], ["Two."])
    first = await silent(at)
    stream = await at.told(messageId="m1", at=at.elsewhere)
    await first.until_over()
    assert text_of(stream) == "Two."
    assert taken_away(first)
    assert await at.history() == ["user: Hi", "assistant: Two."]


async def test_an_answer_that_was_silent_and_that_no_other_attempt_took_over_is_kept():
    at = TabChats(["One ", 10.0, "end."])
    first = await silent(at)
    await first.until_over()
    assert first.data("error") == []
    assert await at.history() == ["user: Hi", "assistant: One end."]


async def test_an_answer_that_was_taken_over_while_a_tool_worked_is_not_shown_as_whole():
    at = TabChats(["One ", ToolUse("c", "lose", {})], ["two."])

    async def lose(_args: Any, _say: Say) -> Any:
        # As another isolate does that sees its signs of life late.
        [thread] = [item for item in await at.items() if item.is_open]
        await ChunkStore(at.kv, thread.generation).take_over()
        return "worked"

    await at.open_tab({"lose": lose}, at=at.elsewhere)
    first = await at.begin(**at.naming_tab())
    await first.until_over()
    assert taken_away(first)
