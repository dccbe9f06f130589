"""The KV operations of conversations and chats, per message or turn, including the compactions that they cause."""

import asyncio
from collections import Counter

from simulation.client import KEY, make_client
from simulation.counting_kv import CountingKv
from simulation.scripted_model import ScriptedModel, counted
from simulation.virtual_time import VirtualClock, run
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.polling.plans import PAID, Plan
from waypost_worker.settings import Settings

TIMES = 100
EXCHANGES = 20
ANSWER_SECONDS = 20
PAUSE_SECONDS = 20
"""Between two messages, about as people talk; so the journal is compacted while its entries are too young to delete."""

Cost = dict[str, float]


def append_message() -> Cost:
    """Operations of appending one message, on average over `TIMES`."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,)), kv)
        body = {"messages": [{"role": "user", "content": "hello"}]}
        for _ in range(TIMES):
            reply = await client.call("POST", "/api/conversations/c/messages", body)
            assert reply.status == 201
            await asyncio.sleep(PAUSE_SECONDS)
        return _average(kv.count, TIMES)

    return run(scene())


def read_conversation() -> Cost:
    """Operations of reading a conversation that is in use."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,)), kv)
        body = {"messages": [{"role": "user", "content": "hello"}]}
        for _ in range(TIMES):
            await client.call("POST", "/api/conversations/c/messages", body)
        await client.settle()
        kv.count.clear()
        assert len((await client.call("GET", "/api/conversations/c")).json()["messages"]) == 10
        return _average(kv.count, 1)

    return run(scene())


def pop_message() -> Cost:
    """Operations of popping one message, on average over `TIMES`."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,), history_limit=200), kv)
        messages = [{"role": "user", "content": "hello"}] * TIMES
        await client.call("POST", "/api/conversations/c/messages", {"messages": messages})
        kv.count.clear()
        for number in range(TIMES):
            reply = await client.call("POST", "/api/conversations/c/pop", {"id": f"{number}"})
            assert reply.json()["message"]
            await asyncio.sleep(PAUSE_SECONDS)
        return _average(kv.count, TIMES)

    return run(scene())


def append_quickly() -> Cost:
    """Operations of appending one small message, on average over 600 in a minute."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,)), kv)
        body = {"messages": [{"role": "user", "content": "hello"}]}
        for _ in range(600):
            reply = await client.call("POST", "/api/conversations/c/messages", body)
            assert reply.status == 201
            await asyncio.sleep(0.1)
        return _average(kv.count, 600)

    return run(scene())


def delete_thread(documents: int = 10, pages: int = 2) -> Cost:
    """Operations of deleting a thread with one answer of `ANSWER_SECONDS`, documents and pages."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,)), kv, model=ScriptedModel(counted(ANSWER_SECONDS * 4, 0.25)))
        await client.call("POST", "/api/chat", {"message": "hello", "threadId": "t"})
        thread = {"threadId": "t", "resourceId": "t"}
        described = await client.call("POST", "/api/sessions/metadata", thread)
        session_id = described.json()["session"]["sessionId"]
        for number in range(documents):
            await client.call("PUT", f"/api/sessions/{session_id}/documents/d{number}", number)
        for number in range(pages):
            await client.call("PUT", f"/api/pages/p{number}", {"html": "", "sessionId": session_id})
        kv.count.clear()
        assert (await client.call("DELETE", "/api/sessions", thread)).json()["success"]
        return _average(kv.count, 1)

    return run(scene())


def chat_exchange(plan: Plan = PAID, seconds: int = ANSWER_SECONDS) -> Cost:
    """Operations of a question and its answer, which takes `seconds`, on average over `EXCHANGES` in one thread."""

    async def scene() -> Cost:
        kv = CountingKv(MemoryKv(VirtualClock()))
        model = ScriptedModel(counted(seconds * 4, 0.25))
        client = make_client(Settings(signing_keys=(KEY,), plan=plan), kv, model=model)
        for _ in range(EXCHANGES):
            reply = await client.call("POST", "/api/chat", {"message": "hello", "threadId": "t"})
            assert b"event: done" in reply.body
            await asyncio.sleep(PAUSE_SECONDS)
        return _average(kv.count, EXCHANGES)

    return run(scene())


def _average(count: Counter[str], times: int) -> Cost:
    return {kind: count[kind] / times for kind in ("read", "write", "delete", "list")}
