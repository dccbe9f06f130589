"""The probe against applications without a network, in virtual time: what it measures is what was planted."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bench.measure.progress import Progress
from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock
from tests.support.app_transport import AppTransport
from tests.support.docs import anchors, page
from tests.support.limiters import Budget
from tools.probe import promises
from tools.probe.caller import Target
from tools.probe.failure import ProbeFailure
from tools.probe.made import Made
from tools.probe.report import as_json, closing, table
from tools.probe.rows import OK, WORSE, Row, rows
from tools.probe.run import WEIGHTS, Findings, NotConfirmed, run
from tools.probe.scale import FULL, QUICK, Scale, cost_at_most, question
from tools.probe.timing import server_timing, told
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import Kv, ListPage
from waypost_worker.polling.plans import FREE, PAID
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import Settings

URL = "https://waypost.example"
LATE_SECONDS = 3


class LateListKv(DelegatingKv):
    """Lists a key only some seconds after it was written first."""

    def __init__(self, kv: Kv) -> None:
        super().__init__(kv)
        self._since: dict[str, float] = {}

    async def put(self, key: str, *args: Any, **kwargs: Any) -> None:
        self._since.setdefault(key, asyncio.get_running_loop().time())
        await super().put(key, *args, **kwargs)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        found = await super().list(prefix, cursor=cursor, limit=limit)
        now = asyncio.get_running_loop().time()
        return ListPage(tuple(key for key in found.keys if now - self._since[key.name] >= LATE_SECONDS), found.cursor)


class LateGetKv(DelegatingKv):
    """Gives what it gave first, until the change is some seconds old."""

    def __init__(self, kv: Kv, seconds: float = LATE_SECONDS) -> None:
        super().__init__(kv)
        self._seconds = seconds
        self._given: dict[str, str] = {}
        self._changed: dict[str, float] = {}

    async def put(self, key: str, *args: Any, **kwargs: Any) -> None:
        self._changed[key] = asyncio.get_running_loop().time()
        await super().put(key, *args, **kwargs)

    async def get(self, key: str) -> str | None:
        value = await super().get(key)
        if value is None:
            return None
        is_old = asyncio.get_running_loop().time() - self._changed[key] >= self._seconds
        self._given[key] = value if is_old else self._given.get(key, value)
        return self._given[key]


class Deployment:
    """Isolates on one store, and the probe that measures them."""

    def __init__(
        self, isolates: int = 1, kv: Kv | None = None, settings: Settings | None = None, misses: int = 10
    ) -> None:
        self.store = MemoryKv(VirtualClock())
        settings = settings or Settings(signing_keys=(KEY,), plan=PAID)
        limiters = {Limit.MISS: Budget(misses)}
        self.isolates = [make_client(settings, kv or self.store, limiters, seed=seed) for seed in range(isolates)]
        self.transport = AppTransport(self.isolates)
        self.target = Target(URL, transport=lambda: self.transport)
        self.made = Made()
        self.asked: list[str] = []

    async def probed(self, scale: Scale = QUICK, answer: bool = True) -> Findings:
        def confirm(question: str) -> bool:
            self.asked.append(question)
            return answer

        return await run(self.target, self.made, scale, confirm, Progress(WEIGHTS, io.StringIO()))

    async def kept(self) -> set[str]:
        """The kinds of keys that are left in the store."""
        return {key.name.split(":")[0] for key in (await self.store.list("")).keys}


def row(found: Sequence[Row], what: str) -> Row:
    [row] = [each for each in found if each.what == what]
    return row


async def test_one_isolate_is_found_to_be_one_and_nothing_is_left_behind() -> None:
    deployment = Deployment()
    found = await deployment.probed()
    shown = rows(found, deployment.target.replies)
    assert row(shown, "connections meet").measured.startswith("100%")
    assert len(found.meetings.isolates) == 1
    assert {call.met for call in found.delivery.delivered} == {True}
    assert max(call.accepted_to_host for call in found.delivery.delivered) < 0.1
    assert {each.verdict for each in shown} <= {OK, ""}
    assert (found.made, found.left) == (QUICK.documents + QUICK.streams + 2, 0)
    # A session that has ended leaves its tombstone.
    assert "doc" not in await deployment.kept()
    assert deployment.asked == []


async def test_two_isolates_are_found_and_calls_between_them_are_slower() -> None:
    deployment = Deployment(isolates=2)
    found = await deployment.probed(replace(QUICK, calls_a_stream=3))
    assert len(found.meetings.isolates) == 2
    assert 0 < found.meetings.met < found.meetings.pairs
    delays = {
        met: [call.accepted_to_host for call in found.delivery.delivered if call.met is met] for met in (True, False)
    }
    assert delays[True]
    assert max(delays[True]) < PAID.poll_min_ms / 1000 <= max(delays[False])
    shown = rows(found, deployment.target.replies)
    assert row(shown, "accepted to host, in two isolates").verdict == OK


async def test_a_list_that_shows_late_is_measured() -> None:
    seen = (await Deployment(kv=LateListKv(MemoryKv(VirtualClock()))).probed()).visibility
    assert len(seen.new_listed) == len(seen.new_read) == QUICK.documents
    # The look that shows it is the next one in `LOOKS`.
    assert all(delay is not None and LATE_SECONDS <= delay <= 2.2 * LATE_SECONDS for delay in seen.new_listed)
    assert seen.change_listed == seen.change_read == [0.0] * QUICK.documents


async def test_a_get_that_shows_late_is_told_from_a_list_that_does() -> None:
    seen = (await Deployment(kv=LateGetKv(MemoryKv(VirtualClock()))).probed()).visibility
    assert seen.new_listed == seen.new_read == seen.change_listed == [0.0] * QUICK.documents
    assert all(delay is not None and LATE_SECONDS <= delay <= 2.2 * LATE_SECONDS for delay in seen.change_read)


async def test_what_is_not_visible_within_a_minute_is_worse_than_promised() -> None:
    deployment = Deployment(kv=LateGetKv(MemoryKv(VirtualClock()), seconds=100))
    found = await deployment.probed(replace(QUICK, sample_seconds=10))
    shown = row(rows(found, deployment.target.replies), "a changed document, read")
    assert (shown.measured, shown.verdict) == ("at the first look 0 of 2 times, 2 not within a minute", WORSE)


async def test_wrong_codes_are_counted_last_and_no_further_than_needed() -> None:
    deployment = Deployment(misses=10)
    found = await deployment.probed()
    assert (found.guesses.refused_after, found.guesses.retry_after) == (10, 60)
    before, *guesses = deployment.transport.seen[-12:]
    assert before[0] == "DELETE"
    assert all(re.fullmatch(r"/api/sessions/[0-9A-Z]{8}", path) for _, path in guesses)


async def test_codes_that_are_not_counted_are_worse_than_promised() -> None:
    deployment = Deployment(misses=1000)
    found = await deployment.probed()
    shown = row(rows(found, deployment.target.replies), "wrong codes")
    assert (shown.measured, shown.verdict) == (f"{QUICK.guesses} were all looked up", WORSE)


async def test_a_long_run_sees_how_a_stream_ends() -> None:
    plan = replace(PAID, stream_seconds=90)
    found = await Deployment(settings=Settings(signing_keys=(KEY,), plan=plan)).probed(
        replace(QUICK, is_long=True, sample_seconds=10)
    )
    assert found.stream_end.ended == "cleanly"
    assert 80 <= found.stream_end.seconds <= 95
    assert found.stream_end.heartbeats > 2


async def test_a_host_whose_stream_ends_comes_back_and_loses_nothing() -> None:
    plan = replace(PAID, stream_seconds=1, poll_min_ms=2_000)
    deployment = Deployment(isolates=2, settings=Settings(signing_keys=(KEY,), plan=plan))
    found = await deployment.probed(replace(QUICK, calls_a_stream=10))
    assert found.delivery.continued > 2
    assert (len(found.delivery.delivered), found.delivery.lost) == (10 * QUICK.streams, 0)
    shown = row(rows(found, deployment.target.replies), "a host's stream ended")
    assert shown.measured.startswith(f"{found.delivery.continued} times")


async def test_a_slow_deployment_does_not_make_the_run_an_hour_long() -> None:
    deployment = Deployment(isolates=2, settings=Settings(signing_keys=(KEY,), plan=FREE))
    started = asyncio.get_running_loop().time()
    found = await deployment.probed(FULL)
    assert asyncio.get_running_loop().time() - started < 10 * 60
    assert {call.met for call in found.delivery.delivered} == {True, False}
    assert len(found.delivery.delivered) < FULL.streams * FULL.calls_a_stream
    assert found.delivery.round_trips


async def test_a_run_that_is_stopped_deletes_what_it_has_made() -> None:
    deployment = Deployment()
    running = asyncio.ensure_future(deployment.probed(replace(QUICK, seconds=1000, sample_seconds=10)))
    await asyncio.sleep(100)
    assert "doc" in await deployment.kept()
    assert deployment.made.left > 0
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert deployment.made.left == 0
    assert "doc" not in await deployment.kept()


async def test_nothing_is_made_if_the_person_does_not_want_the_cost() -> None:
    deployment = Deployment(settings=Settings(signing_keys=(KEY,), plan=FREE))
    with pytest.raises(NotConfirmed, match="Nothing was measured"):
        await deployment.probed(FULL, answer=False)
    assert deployment.transport.seen == [("GET", "/health")]
    [asked] = deployment.asked
    assert "free plan" in asked


def test_an_ordinary_run_on_the_paid_plan_costs_less_than_a_cent() -> None:
    cost = cost_at_most(FULL, PAID, PAID.stream_seconds)
    assert cost.dollars < 0.01
    assert question(cost, PAID) is None
    more = question(cost_at_most(FULL.times(10), PAID, PAID.stream_seconds), PAID)
    assert more is not None
    assert more.startswith("This may cost up to $0.0")


async def test_a_run_stays_below_what_it_may_cost() -> None:
    deployment = Deployment(isolates=2)
    await deployment.probed(FULL)
    most = cost_at_most(FULL, PAID, PAID.stream_seconds)
    assert 100 < deployment.target.operations < most.read + most.write + most.list


REFUSALS: dict[str, tuple[httpx.Response, str]] = {
    "another service": (httpx.Response(404, text="<h1>Not found</h1>"), "is not a Waypost: its /health answers 404"),
    "another JSON": (httpx.Response(200, json={"status": "ok"}), "is not a Waypost"),
    "a redirect": (httpx.Response(302, headers={"Location": "https://login.example"}), "redirects to https://login"),
    "plain HTTP": (
        httpx.Response(421, json={"code": "host_not_allowed", "detail": "Use HTTPS."}),
        "refuses GET /health .421 host_not_allowed.: Use HTTPS.",
    ),
    "Cloudflare itself": (httpx.Response(429, text="error code: 1027"), "Cloudflare itself .* its error 1027"),
    "unconfigured": (
        httpx.Response(
            503,
            json={"status": "unavailable", "version": "1", "plan": "paid", "limits": {}, "detail": "Set SIGNING_KEY."},
        ),
        "can't be used now: Set SIGNING_KEY.",
    ),
    "a day's limit": (
        httpx.Response(
            200,
            json={
                "status": "ok",
                "version": "1",
                "plan": "free",
                "limits": {},
                "dailyLimit": {"operations": ["list"], "until": 0},
            },
        ),
        "The list of this day are spent",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_what_can_not_be_measured_is_one_sentence(kind: str) -> None:
    reply, words = REFUSALS[kind]
    with pytest.raises(ProbeFailure, match=words) as failure:
        await probe_of(lambda _: reply)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "can't be reached .*Is the address right"),
        (httpx.ConnectTimeout("t"), "does not answer in time"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), "certificate of"),
    ],
)
async def test_a_network_that_fails_is_one_sentence(error: httpx.TransportError, words: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ProbeFailure, match=words):
        await probe_of(fail)


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (401, {"code": "token_required", "detail": "For apps."}, "make probe URL=… APP_KEY=…"),
        (401, {"code": "invalid_token", "detail": "Unknown."}, "does not know the key in APP_KEY"),
        (429, {"code": "rate_limited", "detail": "Wait."}, "wait a minute"),
        (503, {"code": "storage_unavailable", "detail": "KV."}, "refuses POST /api/sessions .503 storage_unavailable"),
        (502, None, "with 502, which the probe can't use"),
    ],
)
async def test_a_call_that_is_refused_is_one_sentence(status: int, problem: Any, words: str) -> None:
    health = {"status": "ok", "version": "1", "plan": "paid", "limits": {}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health":
            return httpx.Response(200, json=health)
        return httpx.Response(status, json=problem) if problem else httpx.Response(status, text="Bad gateway")

    with pytest.raises(ProbeFailure, match=words):
        await probe_of(answer)


async def probe_of(answer: Any) -> Findings:
    target = Target(URL, transport=lambda: httpx.MockTransport(answer))
    return await run(target, Made(), QUICK, lambda _: True, Progress(WEIGHTS, io.StringIO()))


def test_a_reply_tells_where_it_was_made() -> None:
    reply = told({
        "server-timing": 'kv;desc="3 operations";dur=24, isolate;desc="0a1b2c3d", placement;desc="remote-IAD", '
        "cfWorker;dur=7.5,cfExtPri",
        "cf-ray": "8f1c2d3e4b5a6978-AMS",
    })  # fmt: skip
    assert (reply.isolate, reply.placement, reply.edge) == ("0a1b2c3d", "remote-IAD", "AMS")
    assert (reply.operations, reply.kv_ms) == (3, 24.0)
    assert reply.foreign == {"cfWorker": 7.5}
    assert told({}).isolate is None
    assert server_timing('a;desc="x, y";dur=1,b') == {"a": {"desc": "x, y", "dur": "1"}, "b": {}}


async def test_the_places_of_all_requests_are_counted() -> None:
    deployment = Deployment()
    deployment.target = replace(deployment.target, headers={"cf-placement": "remote-IAD"})
    found = await deployment.probed()
    deployment.target.replies.append(told({"server-timing": 'kv;dur=0, placement;desc="local-FRA"'}))
    shown = row(rows(found, deployment.target.replies), "requests run in")
    assert re.fullmatch(r"remote-IAD 9\d\.\d%, local-FRA \d\.\d%", shown.measured)


async def test_the_table_and_the_json_have_what_was_found() -> None:
    deployment = Deployment(isolates=2)
    found = await deployment.probed()
    shown = rows(found, deployment.target.replies)
    for width in (80, 100, 140):
        assert max(len(line) for line in table(shown, width).splitlines()) <= width
    text = table(shown)
    for each in shown:
        assert each.what.split()[0] in text
    whole = json.loads(as_json(deployment.target, found, shown))
    assert len(whole["isolates"]) == 2
    assert whole["pairs_met"] < whole["pairs"]
    assert whole["rows"][0]["measured"].startswith(found.deployment.version)
    assert "are deleted" in closing(deployment.target, found)
    assert "1 of the 6" in closing(deployment.target, replace(found, left=1))


def test_the_latencies_beside_the_measured_ones_are_those_of_the_page() -> None:
    text = """
| | to the tab: half within | 99 of 100 | there and back: half within | 99 of 100 |
|---|---|---|---|---|
| one isolate, paid plan | 1 ms | 2 ms | 3 ms | 4 ms |
| one data centre, paid plan | 5 s | 6 s | 7 s | 8 s |
"""
    found = promises.latency(promises.THERE_AND_BACK, promises.ONE_PLACE, PAID, text)
    assert found == "simulated for one data centre: half within 7 s, 99 of 100 within 8 s"
    assert promises.latency(promises.TO_HOST, promises.ONE_ISOLATE, PAID, text).endswith("1 ms, 99 of 100 within 2 ms")
    assert promises.latency(promises.TO_HOST, promises.ONE_PLACE, FREE, text) == "usually within 60 s"
    for column in (promises.TO_HOST, promises.THERE_AND_BACK):
        for distance in (promises.ONE_ISOLATE, promises.ONE_PLACE):
            for plan in (FREE, PAID):
                assert promises.latency(column, distance, plan).startswith("simulated for")


def test_the_promises_are_in_sections_of_the_page() -> None:
    headings = anchors(page(promises.PAGE))
    for section in (promises.LATENCY, promises.VERSIONS, promises.STREAMS):
        assert section.lower().replace(" ", "-") in headings
