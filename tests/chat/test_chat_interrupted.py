"""Which questions stop a running answer without saying so: those of the page that shows it, or of its client that has
left. And what a refusal leaves as it was."""

import asyncio
import json
from typing import Any

import pytest

from simulation.client import Client
from simulation.scripted_model import counted
from tests.support.chats import ADA, THREAD, Chats, ends, text_of, ui_text
from tests.support.limiters import Budget
from waypost_worker.limits import PROMPT_CHARACTERS_PER_USE
from waypost_worker.security.rate_limits import Limit, RateLimits

everywhere = pytest.mark.parametrize("place", ["here", "elsewhere"])


def said(id: str, role: str, text: str) -> dict[str, Any]:
    return {"id": id, "role": role, "parts": [{"type": "text", "text": text}]}


async def ask_behind(at: Chats, client: Client, answer_id: str, *, ip: str = "192.0.2.1") -> Any:
    """The AI SDK's next question on a page that shows an answer."""
    messages = [said("m1", "user", "First?"), said(answer_id, "assistant", "1 2"), said("m2", "user", "Second?")]
    body = {"id": THREAD, "resourceId": ADA, "messages": messages, "trigger": "submit-message"}
    return await client.call("POST", "/api/chat", body, ip=ip)


@everywhere
async def test_a_page_that_asks_behind_the_answer_that_it_shows_stops_it(place: str):
    at = Chats(counted(60), ["Second."])
    first = await at.ask("First?", messageId="m1")
    await asyncio.sleep(2.5)
    reply = await ask_behind(at, at.isolate(place), first.data("start")[0]["generationId"], ip="192.0.2.9")
    assert ui_text(reply.body) == "Second."
    await first.until_over()
    assert ends(first) == ("stopped", True)
    assert (await at.history())[-2:] == ["user: Second?", "assistant: Second."]


@everywhere
async def test_a_page_that_does_not_show_the_running_answer_is_refused(place: str):
    at = Chats(counted(60))
    await at.ask("First?", messageId="m1")
    await asyncio.sleep(2.5)
    reply = await ask_behind(at, at.isolate(place), "another-answer", ip="192.0.2.9")
    assert (reply.status, reply.json()["code"]) == (409, "answer_running")


@everywhere
@pytest.mark.parametrize("first_word", [0.5, 60.0])
async def test_a_client_that_has_left_its_answer_may_ask_the_next_question(place: str, first_word: float):
    at = Chats([first_word, "One.", 60.0], ["Second."])
    first = await at.begin("First?")
    await asyncio.sleep(2.5)
    await first.stop()
    # Another isolate sees it with the next chunk.
    await asyncio.sleep(2.5)
    second = await at.turn("Second?", at.isolate(place))
    assert text_of(second) == "Second."


@everywhere
async def test_an_answer_that_another_client_has_left_is_another_ones(place: str):
    at = Chats(counted(60), ["Second."])
    first = await at.ask("First?")
    await asyncio.sleep(1)
    await first.stop()
    await asyncio.sleep(2.5)
    body = json.dumps({"message": "Second?", "threadId": THREAD, "resourceId": ADA}).encode()
    refused = await at.isolate(place).open("POST", "/api/chat", body=body, ip="192.0.2.9")
    assert refused.status == 409


async def test_an_answer_that_its_client_hears_again_is_not_left():
    at = Chats(counted(60))
    first = await at.ask("First?")
    await first.stop()
    await at.resumed()
    await asyncio.sleep(1)
    assert (await at.refused("Second?"))["code"] == "answer_running"


@everywhere
@pytest.mark.parametrize("regenerates", [True, False])
async def test_a_question_that_is_refused_has_stopped_nothing(place: str, regenerates: bool):
    at = Chats(counted(60), ["Second."])
    budget = Budget(6)
    for client in (at.here, at.elsewhere):
        client.app._limits = RateLimits({Limit.ANSWER: budget})
    session_id = at.threads.session_id_for(ADA, THREAD)
    long = {"messages": [{"role": "user", "content": "y" * 3 * PROMPT_CHARACTERS_PER_USE}]}
    await at.here.call("POST", f"/api/conversations/{session_id}/messages", long)
    first = await at.ask("First?", messageId="m1")
    await asyncio.sleep(2)
    there = at.isolate(place)
    if regenerates:
        refused = (await at.ask_ui("First!", "m1", there, trigger="regenerate-message")).json()
    else:
        refused = await at.refused("Second?", there, interrupt=True)
    assert refused["code"] == "rate_limited"
    await asyncio.sleep(10)
    assert not first.is_over
    # It can still be found, heard and stopped.
    assert (await at.resumed()) is not None
    assert (await at.stop())["generationId"] == first.data("start")[0]["generationId"]
    await first.until_over()
    assert ends(first) == ("stopped", True)
