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
        kv.count.clear()
        assert len((await client.call("GET", "/api/conversations/c")).json()["messages"]) == 10
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
    return {kind: count[kind] / times for kind in ("read", "write", "list")}
