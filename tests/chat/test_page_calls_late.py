"""Outputs of a page's calls that come while another request of the thread goes on, or before what they answer is
visible."""

import asyncio
from typing import Any

import msgspec

from simulation.replaced import replaced
from tests.support.pages import Page, PageChats
from tests.support.tab_chats import TabChats
from waypost_worker.chat import chat as chat_module
from waypost_worker.chat import going_on
from waypost_worker.chat.call_ids import root_in
from waypost_worker.chat.going_on import LOOKS
from waypost_worker.models.model import ToolUse

ASK = ToolUse("c1", "ask_user", {"text": "Tea?"})
PICK = ToolUse("c2", "pick", {})
WAIT = ToolUse("c3", "wait", {"seconds": 3})
ABANDONED_SECONDS = 30


class Both(TabChats, PageChats):
    """Chats with a tab and a page."""


async def asked(*scripts: Any) -> tuple[PageChats, Page]:
    """A page whose question has been answered up to its first call, which has an output."""
    at = PageChats(*scripts)
    page = at.page()
    await page.ask()
    page.put(0, "yes")
    return at, page


async def test_a_page_that_is_slow_to_find_the_answer_hears_how_another_page_let_it_go_on():
    at, page = await asked([ASK], ["Tea it is."], ["Twice."])
    slow = page.copy()
    slow.put(0, "no")
    find = chat_module.find_waiting

    async def find_slowly(*found_by: Any) -> Any:
        found = await find(*found_by)
        await asyncio.sleep(5)
        return found

    with replaced(chat_module, "find_waiting", find_slowly):
        going_on_slowly = asyncio.ensure_future(slow.go_on())
        await asyncio.sleep(1)
    # It begins and ends while the other page still holds what it has read.
    await page.go_on()
    await going_on_slowly
    assert slow.answer == page.answer
    assert await at.log() == [("call", "ask_user"), ("result", "yes")]
    assert len(at.model.asked) == 2


def without_its_calls(times: int) -> Any:
    """So many reads find the answer as it was before its calls were visible."""
    find = going_on.find_to_read
    left = times

    async def read(*name: Any) -> Any:
        nonlocal left
        found = await find(*name)
        if found is None or not left:
            return found
        left -= 1
        thread, conversation, history = found
        items = [msgspec.structs.replace(item, tool_events=[], is_open=False) for item in history.items]
        return thread, conversation, history._replace(items=items)

    return replaced(going_on, "find_to_read", read)


async def test_a_call_that_is_not_visible_yet_is_looked_for():
    at, page = await asked([ASK], ["Tea it is."])
    with without_its_calls(LOOKS - 1):
        await page.go_on()
    assert await at.history() == ["user: Hi", "assistant: Tea it is."]


async def test_a_call_that_never_becomes_visible_is_refused():
    _, page = await asked([ASK], ["Tea it is."])
    with without_its_calls(LOOKS):
        code, detail = await page.refused()
    assert (code, "has not made" in detail) == ("invalid_body", True)


async def test_a_call_that_was_made_up_for_an_answer_is_refused_though_its_id_has_the_right_form():
    at, page = await asked([ASK], ["Tea it is."])
    root = root_in(page.calls[0]["toolCallId"])
    page.answer["parts"].append({**page.calls[0], "toolCallId": f"{root}.7.0.{'0' * 16}"})
    assert (await page.refused())[0] == "invalid_body"
    page.calls[-1]["toolCallId"] = f"{'0' * 32}.7.0.{'0' * 16}"
    asked_before = len(at.kv.asked)
    assert (await page.refused())[0] == "invalid_body"
    # Of another answer: nobody waits for it.
    assert len(at.kv.asked) - asked_before < LOOKS


async def test_outputs_of_an_earlier_step_leave_the_calls_alone_that_a_dead_isolate_has_just_made():
    at = Both([ASK], ["Both. ", WAIT, PICK], ["Done."])
    await at.open_tab(at=at.elsewhere)
    page = at.page(session={"code": at.tab.opened.code})
    await page.ask()
    page.put(0, "yes")
    earlier = page.copy()
    going_on_there = asyncio.ensure_future(page.go_on())
    await asyncio.sleep(2)
    at.evict()
    going_on_there.cancel()
    await asyncio.sleep(ABANDONED_SECONDS)
    inspect, looks = going_on.inspect_open, 0

    async def inspect_late(*about: Any) -> Any:
        nonlocal looks
        looks += 1
        found = await inspect(*about)
        # The first time, the last chunk is not visible.
        return found if looks > 1 else found._replace(item=about[1])

    with replaced(going_on, "inspect_open", inspect_late):
        await earlier.go_on(at.elsewhere)
    assert looks == 2
    assert earlier.available == [("pick", {})]
    assert len(at.model.asked) == 2
    assert "other_tab" not in str(await at.items())
