"""The free plan's operations of a day are used up: what needs them is refused once and says until when, the rest goes
on, slowly, and all of it is there again at midnight."""

import asyncio
from typing import Any

from simulation.client import KEY, Client, Opened, make_client
from simulation.virtual_time import VirtualClock
from tests.support.listener import listen
from tests.support.spent_kv import SpentKv
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.platform_limits import DAY_MS, PROBE_MS
from waypost_worker.settings import Settings

PAID = Settings(signing_keys=(KEY,))


class Setting:
    """A session that was opened while there were operations left, in an isolate at the pace of the paid plan."""

    client: Client
    session: Opened

    def __init__(self, settings: Settings = PAID) -> None:
        self.kv = SpentKv(MemoryKv(VirtualClock()))
        self.client = make_client(settings, self.kv)

    async def open(self, ttl: int = 600) -> "Setting":
        self.session = await self.client.open_session(ttl=ttl)
        return self

    @property
    def midnight_ms(self) -> int:
        now = self.client.app.clock.now_ms()
        return (now // DAY_MS + 1) * DAY_MS

    def use_up(self, *kinds: str) -> None:
        self.kv.used_up = set(kinds)
        self.kv.asked.clear()

    async def health(self) -> Any:
        return (await self.client.call("GET", "/health")).json()

    async def poll(self, client: Client | None = None) -> Any:
        return await (client or self.client).call("GET", f"/api/poll?code={self.session.code}", token=self.session.host)


async def test_what_needs_them_is_refused_without_another_try_and_says_until_when():
    at = await Setting().open()
    await at.poll()
    at.use_up("list")
    began_ms = at.client.app.clock.now_ms()
    reply = await at.poll()
    assert at.client.app.clock.now_ms() == began_ms
    assert (reply.status, reply.json()["code"]) == (503, "daily_limit")
    assert int(reply.headers["Retry-After"]) == -(-(at.midnight_ms - began_ms) // 1000)
    assert at.kv.asked == ["list"]
    assert (await at.poll()).json() == reply.json()
    assert at.kv.asked == ["list"]


async def test_a_request_and_its_response_need_no_list_where_both_meet():
    at = await Setting().open()
    listener = await listen(at.client, f"/api/stream?code={at.session.code}", token=at.session.host)
    await asyncio.sleep(31)
    at.use_up("list")
    await at.poll()
    asking = asyncio.ensure_future(
        at.client.call("POST", "/api/request?wait=5", {"code": at.session.code, "tool": "work"})
    )
    await asyncio.sleep(0.1)
    [request] = listener.data("request")
    await at.client.answer(at.session, request["id"], "done")
    assert (await asking).json()["result"] == "done"
    await listener.stop()


async def test_reading_goes_on_without_writes_and_deletes():
    at = await Setting().open()
    cursor = (await at.client.ask(at.session.code, id="queued")).json()["cursor"]
    at.use_up("put", "delete")
    assert (await at.client.ask(at.session.code, id="another")).json()["code"] == "daily_limit"
    body = {"code": at.session.code, "cursors": [cursor]}
    assert (await at.client.call("POST", "/api/ack", body, token=at.session.host)).json()["code"] == "daily_limit"
    assert [message["data"]["id"] for message in (await at.poll()).json()["messages"]] == ["queued"]
    assert at.kv.asked.count("put") == at.kv.asked.count("delete") == 1


async def test_the_isolate_slows_down_to_the_free_pace_and_says_so():
    at = await Setting().open()
    assert (await at.health())["plan"] == "paid"
    at.use_up("list")
    shown = await at.health()
    assert (shown["status"], shown["code"], shown["plan"], shown["planSet"]) == (
        "unavailable",
        "daily_limit",
        "free",
        "paid",
    )
    assert shown["dailyLimit"] == {"operations": ["list"], "until": at.midnight_ms}
    shown = await at.health()
    assert (shown["limits"]["streamSeconds"], shown["dailyLimit"]["operations"]) == (75, ["list"])
    await asyncio.sleep((at.midnight_ms - at.client.app.clock.now_ms()) / 1000)
    at.use_up()
    shown = await at.health()
    assert (shown["status"], shown["plan"], shown["dailyLimit"]) == ("ok", "paid", None)


async def test_a_service_without_deletes_is_usable():
    at = await Setting().open()
    cursor = (await at.client.ask(at.session.code, id="queued")).json()["cursor"]
    at.use_up("delete")
    body = {"code": at.session.code, "cursors": [cursor]}
    assert (await at.client.call("POST", "/api/ack", body, token=at.session.host)).status == 503
    shown = await at.health()
    assert (shown["status"], shown["dailyLimit"]["operations"]) == ("ok", ["delete"])


async def test_an_upgrade_is_noticed_within_a_minute():
    at = await Setting().open()
    at.use_up("list")
    await at.poll()
    at.use_up()
    assert (await at.poll()).status == 503
    await asyncio.sleep(PROBE_MS / 1000)
    assert (await at.poll()).status == 200
    assert (await at.health())["plan"] == "paid"


async def test_an_open_stream_says_so_and_ends():
    at = await Setting().open()
    listener = await listen(at.client, f"/api/stream?code={at.session.code}", token=at.session.host)
    await asyncio.sleep(5)
    at.use_up("list")
    await listener.until_over(10)
    [said] = listener.data("unavailable")
    assert said["code"] == "daily_limit"
    assert "00:00 UTC" in said["detail"]
    assert listener.names()[-1] == "unavailable"
    assert b"retry: 60000\n" in listener.raw
    assert at.kv.asked.count("list") == 1
    assert at.client.app.isolate.open_streams == 0


async def test_an_open_stream_stays_without_writes_and_ends_when_its_session_expires():
    at = await Setting().open(ttl=120)
    listener = await listen(at.client, f"/api/stream?code={at.session.code}", token=at.session.host)
    await at.client.ask(at.session.code, id="before")
    at.use_up("put", "delete")
    await asyncio.sleep(100)
    assert not listener.is_over
    assert [request["id"] for request in listener.data("request")] == ["before"]
    await listener.until_over(60)
    assert listener.data("end") == [{"reason": "expired"}]


async def test_mcp_gets_the_error_of_its_protocol():
    at = await Setting().open()
    at.use_up("list")
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    reply = await at.client.call("POST", f"/mcp/{at.session.code}", message)
    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) > 60
    error = reply.json()["error"]
    assert (reply.json()["id"], error["data"]) == (7, {"code": "daily_limit"})
    assert "00:00 UTC" in error["message"]
