"""The KV operations of a step of an answer that calls a tool in a tab: what an answer costs more for each."""

import asyncio
from collections import Counter
from typing import Any

from simulation.client import KEY, Opened, make_client
from simulation.counting_kv import CountingKv
from simulation.profiles import PLACED
from simulation.scripted_model import Script, ScriptedModel
from simulation.tab import Say, Tab
from simulation.virtual_time import VirtualClock, run
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.models.model import ToolUse
from waypost_worker.polling.plans import PAID, Plan
from waypost_worker.settings import Settings

STEPS = 4
SETTLED_SECONDS = 20


async def _work(_args: Any, _say: Say) -> Any:
    return "done"


def tool_step(plan: Plan = PAID, *, same_isolate: bool) -> dict[str, float]:
    """Operations of one step with one call, on average over `STEPS`, of a tab that answers immediately. In two
    isolates, the waits for KV are part of it."""
    count = _answer(plan, STEPS, same_isolate=same_isolate) - _answer(plan, 0, same_isolate=same_isolate)
    return {kind: count[kind] / STEPS for kind in ("read", "write", "delete", "list")}


def _answer(plan: Plan, steps: int, *, same_isolate: bool) -> Counter[str]:
    """Operations of an answer with so many steps, and of its tab, until `SETTLED_SECONDS` after the question."""

    async def scene() -> Counter[str]:
        kv = CountingKv(MemoryKv(VirtualClock()))
        scripts: list[Script] = [[ToolUse("c", "work", {"n": number})] for number in range(steps)]
        settings = Settings(signing_keys=(KEY,), plan=plan)
        chats = make_client(settings, kv, seed=1, model=ScriptedModel(*scripts, ["Done."]))
        here = chats if same_isolate else make_client(settings, kv, seed=2)
        for client in (chats, here):
            client.headers |= PLACED
        opened = (await here.call("POST", "/api/sessions")).json()
        tab = Tab(lambda: here, Opened(opened["code"], opened["hostToken"]), {"work": _work})
        await tab.offer()
        staying = asyncio.ensure_future(tab.connect())
        await tab.was_connected.wait()
        await asyncio.sleep(31)
        before, began = kv.count.copy(), asyncio.get_running_loop().time()
        body = {"message": "hello", "threadId": "t", "session": {"code": opened["code"]}}
        reply = await chats.call("POST", "/api/chat", body)
        assert reply.body.count(b"event: tool_result") == steps == len(tab.runs)
        await asyncio.sleep(began + SETTLED_SECONDS - asyncio.get_running_loop().time())
        count = kv.count - before
        staying.cancel()
        await asyncio.wait({staying})
        return count

    return run(scene())
