"""How many operations of the store, one after another, callers of the routes wait for."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from simulation.client import KEY, Client, make_client
from simulation.round_trips import UnitKv, units_of
from simulation.scripted_model import ScriptedModel
from simulation.virtual_time import VirtualClock, run
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_JOURNAL_LENGTH
from waypost_worker.settings import Settings

SILENCE = 10.0
THREAD = {"threadId": "t", "resourceId": "t"}
HELLO = {"messages": [{"role": "user", "content": "hello"}]}


class Place:
    """A store, and isolates on it: each call reaches one that remembers nothing, unless the story says otherwise."""

    def __init__(self) -> None:
        self.kv = UnitKv(MemoryKv(VirtualClock()))
        self.model = ScriptedModel([SILENCE, "word"])
        self._isolates = 0

    def isolate(self) -> Client:
        """A new one."""
        self._isolates += 1
        return make_client(Settings(signing_keys=(KEY,)), self.kv, seed=self._isolates, model=self.model)

    async def done(self, method: str, url: str, body: object = None, at: Client | None = None) -> int:
        """The round trips of a call that succeeds."""
        client, clock = at or self.isolate(), asyncio.get_running_loop().time
        began = clock()
        reply = await client.call(method, url, body)
        seconds = clock() - began
        assert reply.status < 300, reply.body
        await client.settle()
        return units_of(seconds)

    async def first_word(self, url: str = "/api/chat", **fields: str) -> int:
        """The round trips until the first word of an answer, beyond the model's silence; the answer is heard out."""
        client, clock = self.isolate(), asyncio.get_running_loop().time
        began = clock()
        body = json.dumps({"message": "hello", **THREAD, **fields}).encode()
        stream = (await client.open("POST", url, body=body)).body
        assert isinstance(stream, AsyncGenerator)
        heard = aiter(stream)
        while b"word" not in await anext(heard):
            pass
        seconds = clock() - began - SILENCE
        async for _ in heard:
            pass
        await client.settle()
        return units_of(seconds)

    async def filled(self) -> str:
        """A thread with an answer, documents and pages; the id that owns them."""
        await self.first_word()
        reply = await self.isolate().call("POST", "/api/sessions/metadata", THREAD)
        session_id = str(reply.json()["session"]["sessionId"])
        for number in range(4):
            await self.done("PUT", f"/api/sessions/{session_id}/documents/d{number}", number)
            await self.done("PUT", f"/api/pages/p{number}", {"html": "", "sessionId": session_id})
        return session_id


async def first_question(at: Place) -> int:
    return await at.first_word()


async def second_question(at: Place) -> int:
    await at.first_word()
    return await at.first_word()


async def page_of_a_chat(at: Place) -> int:
    await at.first_word()
    return await at.done("GET", "/api/chat/t")


async def fork(at: Place) -> int:
    await at.filled()
    return await at.done("POST", "/api/chat/fork", {**THREAD, "threadId": "f", "forkFromThreadId": "t"})


async def fork_with_a_question(at: Place) -> int:
    await at.filled()
    return await at.first_word("/api/chat/fork", threadId="f", forkFromThreadId="t")


async def deleted_thread(at: Place) -> int:
    await at.filled()
    return await at.done("DELETE", "/api/sessions", THREAD)


async def message_that_compacts(at: Place) -> int:
    client = at.isolate()
    waits = [
        await at.done("POST", "/api/conversations/c/messages", HELLO, client) for _ in range(2 * MAX_JOURNAL_LENGTH)
    ]
    assert await at.kv.kv.get("conv:c") is not None
    return max(waits)


async def old_thread_that_begins_again(at: Place) -> int:
    await at.done("POST", "/api/threads", THREAD)
    await asyncio.sleep(2 * 24 * 3600)
    return await at.done("POST", "/api/threads", THREAD)


async def imported_images(at: Place) -> int:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,".ljust(20_000, "A")}}
    messages = [{"role": "user", "content": [image]} for _ in range(5)]
    return await at.done("PUT", "/api/conversations/c", {"messages": messages})


async def new_document(at: Place) -> int:
    return await at.done("PUT", "/api/sessions/s/documents/d", 1)


async def new_page(at: Place) -> int:
    return await at.done("PUT", "/api/pages/p", {"html": "", "sessionId": "s"})


async def described_session(at: Place) -> int:
    session = await at.isolate().open_session()
    return await at.done("GET", f"/api/sessions/{session.code}")


async def first_poll_of_a_host(at: Place) -> int:
    client = at.isolate()
    session = await client.open_session()
    began = asyncio.get_running_loop().time()
    reply = await client.call("GET", f"/api/poll?code={session.code}", token=session.host)
    seconds = asyncio.get_running_loop().time() - began
    assert reply.status == 200
    await client.settle()
    assert (await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"]
    return units_of(seconds)


WAITS: dict[Callable[[Place], Awaitable[int]], int] = {
    # The thread's record beside its conversation's journal and snapshot.
    first_question: 1,
    second_question: 1,
    page_of_a_chat: 1,
    # The same, then documents and messages beside each other, then the record.
    fork: 5,
    # The question's write is behind the model's silence; what was forked is read once more.
    fork_with_a_question: 6,
    deleted_thread: 9,
    message_that_compacts: 1,
    old_thread_that_begins_again: 2,
    imported_images: 2,
    new_document: 2,
    new_page: 3,
    described_session: 2,
    # Its heartbeat is written meanwhile.
    first_poll_of_a_host: 1,
}


@pytest.mark.parametrize("story", WAITS, ids=lambda story: story.__name__)
def test_a_caller_waits_for_no_more_round_trips_than_these(story: Callable[[Place], Awaitable[int]]) -> None:
    async def told() -> int:
        return await story(Place())

    assert run(told()) == WAITS[story]
