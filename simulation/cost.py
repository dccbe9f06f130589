"""The cost of the API in KV operations, counted on the real code in virtual time: `python -m simulation.cost`.

It prints the table of docs/cost.md; `--write` writes it there, and a test compares the two.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulation.abuse_cost import write_abuse_table
from simulation.address_cost import find_by_address, open_with_address
from simulation.caller_waits import CALLS as WAITS
from simulation.caller_waits import round_trips
from simulation.client import KEY, Client, make_client
from simulation.conversation_cost import (
    ANSWER_SECONDS,
    TIMES,
    append_message,
    append_quickly,
    chat_exchange,
    delete_thread,
    pop_message,
    read_conversation,
)
from simulation.counting_kv import CountingKv
from simulation.profiles import PLACED
from simulation.step_cost import tool_step
from simulation.virtual_time import VirtualClock, run
from tools.prices import A_DAY, DOLLARS
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.polling.plans import FREE, PAID, Plan
from waypost_worker.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
BEGIN, END = "<!-- cost: begin -->\n", "<!-- cost: end -->\n"
HOUR = 3600
CALLS = 100


class Setting:
    """A session with a tab that stays connected, and an agent in the same isolate or in another one.

    `is_placed`: the Worker runs in one data centre, as by default.
    """

    def __init__(self, plan: Plan, *, same_isolate: bool, is_placed: bool = True) -> None:
        self.kv = CountingKv(MemoryKv(VirtualClock()))
        settings = Settings(signing_keys=(KEY,), plan=plan)
        self.tab: Client = make_client(settings, self.kv, seed=1)
        self.agent: Client = self.tab if same_isolate else make_client(settings, self.kv, seed=2)
        for client in (self.tab, self.agent):
            client.headers |= PLACED if is_placed else {}

    async def open(self) -> None:
        """Opens the session."""
        opened = (await self.tab.call("POST", "/api/sessions")).json()
        self.code, self.token = opened["code"], opened["hostToken"]

    async def stay(self, client: Client, token: str | None) -> None:
        """Keeps a stream open as `waypost.js` does; as the host, answers each request immediately."""
        headers: dict[str, str] = {"Accept": "application/x-ndjson"}
        instance = "a-tab-that-stays"
        while True:
            url = f"/api/stream?code={self.code}" + (f"&instance={instance}" if token else "")
            response = await client.open("GET", url, token=token, headers=headers)
            assert isinstance(response.body, AsyncGenerator)
            async for chunk in response.body:
                for event in map(json.loads, chunk.splitlines()):
                    if event.get("id"):
                        headers["Last-Event-ID"] = event["id"]
                    instance = event.get("data", {}).get("instance", instance)
                    if event["event"] == "request":
                        answer = {"code": self.code, "id": event["data"]["id"], "result": True}
                        await client.call("POST", "/api/response", answer, token=token)
            await asyncio.sleep(1)

    async def call(self) -> None:
        """One call of the agent, which waits for the response."""
        reply = await self.agent.call("POST", "/api/request?wait=60", {"code": self.code, "tool": "work"})
        while reply.status == 202:
            body = {"code": self.code, "tool": "work", "id": reply.json()["id"]}
            reply = await self.agent.call("POST", "/api/request?wait=60", body)

    async def call_by_polls(self) -> None:
        """One call, for which each side polls once."""
        body = {"code": self.code, "tool": "work"}
        queued = (await self.agent.call("POST", "/api/request", body)).json()
        await self.tab.call("GET", f"/api/poll?code={self.code}", token=self.token)
        answer = {"code": self.code, "id": queued["id"], "result": True}
        await self.tab.call("POST", "/api/response", answer, token=self.token)
        await self.agent.call("GET", f"/api/poll?code={self.code}")


async def _measured(setting: Setting, work: Any) -> Counter[str]:
    before = setting.kv.count.copy()
    await work
    # In the background, wake-up keys are written, and answered requests removed.
    await asyncio.gather(*setting.tab.background, *setting.agent.background)
    return setting.kv.count - before


def stream_hour(
    plan: Plan,
    *,
    host: bool,
    calls: int = 0,
    hours: int = 1,
    same_isolate: bool = False,
    is_placed: bool = True,
) -> Counter[str]:
    """Operations of one open stream, idle or with `calls` calls spread over the time."""

    async def scene() -> Counter[str]:
        setting = Setting(plan, same_isolate=same_isolate, is_placed=is_placed)
        await setting.open()
        keeper = asyncio.get_running_loop().create_task(setting.stay(setting.tab, setting.token))
        guest = None
        if not host:
            guest = asyncio.get_running_loop().create_task(setting.stay(setting.agent, None))
        before = setting.kv.count.copy()
        for _ in range(calls):
            await asyncio.sleep(hours * HOUR / calls)
            await setting.call()
        # The last answered request is removed a second later.
        await asyncio.sleep(1.2 if calls else hours * HOUR)
        count = setting.kv.count - before
        for task in filter(None, (keeper, guest)):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return count

    count = run(scene())
    return count if host else count - stream_hour(plan, host=True, hours=hours, is_placed=is_placed)


def call_alone(plan: Plan, *, same_isolate: bool) -> Counter[str]:
    """Operations of one call: the request, a look of the host, its response, a look of the guest.

    In one isolate the looks are at its local channel. In two they are polls at the right moment; waiting for that
    moment costs `wait_minute` and the rate of the streams in addition.
    """

    async def scene() -> Counter[str]:
        setting = Setting(plan, same_isolate=same_isolate)
        await setting.open()
        if same_isolate:
            keeper = asyncio.get_running_loop().create_task(setting.stay(setting.tab, setting.token))
            await asyncio.sleep(31)

            async def call_and_leave() -> None:
                await setting.call()
                # The response may come before it is stored. What the stream does after that is not counted.
                await asyncio.sleep(0.01)
                keeper.cancel()

            return await _measured(setting, call_and_leave())
        await setting.tab.call("GET", f"/api/poll?code={setting.code}", token=setting.token)
        return await _measured(setting, setting.call_by_polls())

    return run(scene())


def wait_minute(plan: Plan, *, is_placed: bool = True) -> Counter[str]:
    """Operations of waiting a minute for a response that does not come."""

    async def scene() -> Counter[str]:
        setting = Setting(plan, same_isolate=False, is_placed=is_placed)
        await setting.open()
        body = {"code": setting.code, "tool": "work"}
        without_wait = await _measured(setting, setting.agent.call("POST", "/api/request", body))
        return await _measured(setting, setting.agent.call("POST", "/api/request?wait=60", body)) - without_wait

    return run(scene())


def poll_alone(plan: Plan) -> Counter[str]:
    """Operations of one poll that finds nothing."""

    async def scene() -> Counter[str]:
        setting = Setting(plan, same_isolate=True)
        await setting.open()
        url = f"/api/poll?code={setting.code}"
        await setting.tab.call("GET", url, token=setting.token)
        return await _measured(setting, setting.tab.call("GET", url, token=setting.token))

    return run(scene())


def table() -> str:
    """The table of docs/cost.md."""
    rows: list[tuple[str, Mapping[str, float], int]] = [
        ("a call and its answer, in two isolates, each side looking once", call_alone(PAID, same_isolate=False), 1000),
        ("a minute of waiting (`?wait=60`) for an answer from another isolate", wait_minute(PAID), 1000),
        ("the same, in several locations", wait_minute(PAID, is_placed=False), 1000),
        ("an MCP address: more, where a session is opened with one", open_with_address(), 1000),
        ("an MCP address: more for a request, unless its isolate knows the address", find_by_address(), 1000),
        ("a conversation that is read", read_conversation(), 1000),
        (f"a message added to a conversation, on average of {TIMES}", append_message(), 1000),
        ("the same, at 600 messages in a minute", append_quickly(), 1000),
        (f"a message popped, on average of {TIMES}", pop_message(), 1000),
        (f"a question to a thread and its answer of {ANSWER_SECONDS} s, paid plan", chat_exchange(), 1000),
        ("each step of an answer that calls a tool in a tab: more, in one isolate", tool_step(same_isolate=True), 1000),
        ("the same, in two isolates, the waits included", tool_step(same_isolate=False), 1000),
        ("a thread deleted after one such answer, with 10 documents and 2 pages", delete_thread(), 1000),
        ("an hour of an idle tab, paid plan", stream_hour(PAID, host=True), 1),
        ("the same, in several locations", stream_hour(PAID, host=True, is_placed=False), 1),
        ("an hour of an idle guest's stream, paid plan", stream_hour(PAID, host=False), 1),
        ("the same, in several locations", stream_hour(PAID, host=False, is_placed=False), 1),
        ("an hour of an idle tab, free plan", stream_hour(FREE, host=True), 1),
        (
            f"8 hours of a tab with {CALLS} calls, free plan, in one isolate",
            stream_hour(FREE, host=True, calls=CALLS, hours=8, same_isolate=True),
            1,
        ),
        (
            f"8 hours of a tab with {CALLS} calls, free plan, all of them in two isolates",
            stream_hour(FREE, host=True, calls=CALLS, hours=8),
            1,
        ),
    ]
    lines = [
        "| what | reads | writes | deletes | lists | round trips a caller waits for | cost |",
        "|---|---|---|---|---|---|---|",
    ]
    calls = [(title, story()) for title, story in WAITS.items()]
    lines += [_row(title, waited.operations, 1000, str(waited.round_trips)) for title, waited in calls]
    lines += [_row(what, count, times, round_trips(what)) for what, count, times in rows]
    return "\n".join(lines) + "\n"


def _row(what: str, count: Mapping[str, float], times: int, waits: str) -> str:
    dollars = sum(DOLLARS[kind] * number for kind, number in count.items()) * times
    unit = " a thousand" if times == 1000 else ""
    share = max(count.get(kind, 0) / A_DAY[kind] for kind in A_DAY)
    cost = f"{share:.0%} of a day's free operations" if "free" in what else f"${dollars:.4f}{unit}"
    numbers = " | ".join(f"{count.get(kind, 0):g}" for kind in DOLLARS)
    return f"| {what} | {numbers} | {waits} | {cost} |"


def main() -> None:
    """Prints the table; with `--write`, also writes it into docs/cost.md."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    print(table(), end="")
    if "--write" in sys.argv:
        PAGE.write_text(before + BEGIN + table() + END + after)
        write_abuse_table()


if __name__ == "__main__":
    main()
