"""`kill -9` between two steps of answers that use a tab: asked again, each goes on, and no call runs twice."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from time import sleep
from typing import Any

import pytest

from tests.support.chat_client import AnswerStream, Chat
from tests.support.http_api import Api
from tests.support.steady_host import SteadyHost
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

ROUNDS = 12 if os.environ.get("WAYPOST_SOAK") else 1
"""Kills; the many with `make soak`, at random points but for the first."""

SEED = 20260101
ABANDONED_SECONDS = 8
"""An answer without a sign of life for five seconds counts as abandoned."""
SLOW_SECONDS = 5.0 if os.environ.get("WAYPOST_SOAK") else 60.0
"""What a slow call takes at most."""

RESULT = " ".join(f"word{number}" for number in range(60))
"""What each call returns: echo takes two seconds to tell it."""


@pytest.fixture(scope="module")
def mortal() -> Iterator[LocalWorker]:
    """A Worker that is killed."""
    with LocalWorker() as worker:
        yield worker


class TabChat:
    """A chat that asks for three calls, one after the other, and the tab that runs them; the call `slow` takes until
    the Worker has been killed."""

    def __init__(self, api: Api, stack: ExitStack, slow: int | None = None, killed: Event | None = None) -> None:
        self.session = api.open_session()
        self.session.put_tools({"name": "work", "inputSchema": {"type": "object"}})
        self.host = stack.enter_context(SteadyHost(self.session, self._run))
        self.ran: list[int] = []
        self._slow = slow
        self._killed = killed or Event()
        self._chat = Chat(api)
        self._message = "\nthen\n".join(f'/work {{"n": {n}}}' for n in range(3))

    def ask(self) -> AnswerStream:
        """The same question each time."""
        return self._chat.ask(self._message, messageId="m1", session={"code": self.session.code})

    def _run(self, request: dict[str, Any]) -> Any:
        n = request["args"]["n"]
        self.ran.append(n)
        if n == self._slow:
            self._killed.wait(SLOW_SECONDS)
        return f"{n} {RESULT}"

    def check(self, stream: AnswerStream) -> None:
        """The answer that `stream` has brought is whole, and each call has run once."""
        assert stream.end()["finishReason"] == "stop"
        calls = {event.data["id"]: event.data["arguments"]["n"] for event in stream.events if event.name == "tool_call"}
        results = {event.data["id"]: event.data for event in stream.events if event.name == "tool_result"}
        assert list(calls.values()) == [0, 1, 2]
        assert {id: result["result"] for id, result in results.items()} == {
            id: f"{n} {RESULT}" for id, n in calls.items()
        }
        assert self.ran == [0, 1, 2]
        assert set(self.host.runs) == set(calls)
        question, answer = self._chat.history()
        assert (question["id"], answer.get("partial"), answer["content"]) == ("m1", None, stream.text)
        assert [event["id"] for event in answer["toolEvents"] if event["kind"] == "call"] == list(calls)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_call_runs_twice_wherever_the_worker_is_killed(mortal: LocalWorker, number: int) -> None:
    with Api(mortal.url) as api, ExitStack() as stack, ThreadPoolExecutor(4) as threads:
        killed = Event()
        running = TabChat(api, stack, 0, killed)
        between = TabChat(api, stack, 1, killed)
        telling = TabChat(api, stack)
        chats = [running, between, telling]
        streams = [chat.ask() for chat in chats]
        if number == 0:
            eventually(lambda: (running.ran, between.ran) == ([0], [0, 1]))
            streams[2].heard("word20")
        else:
            sleep(random.Random(SEED + number).uniform(0, 8))

        mortal.kill()
        killed.set()
        for stream in streams:
            stream.wait_over()
        mortal.restart()
        sleep(ABANDONED_SECONDS)

        asked = [threads.submit(_whole, chat) for chat in chats]
        for chat, asking in zip(chats, asked, strict=True):
            chat.check(asking.result())


def _whole(chat: TabChat) -> AnswerStream:
    stream = chat.ask()
    stream.whole()
    return stream
