"""What every reply has in common, and what happens when something goes wrong."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulation.client import KEY, make_client, no_background
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.limiters import Budget
from waypost_worker.app import ROUTES
from waypost_worker.http.messages import Request
from waypost_worker.http.security_headers import BROWSER_HEADERS
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import Settings, read_settings

ORIGIN = "https://app.example"
SITE = Path(__file__).parent.parent / "src/site"
UNCONFIGURED = read_settings({})
EVERY_ROUTE = [(route.method, re.sub(r"{\w+}", "K7Q2M9XA", route.template)) for route in ROUTES]


class SlowKv(MemoryKv):
    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        await asyncio.sleep(0.025)
        return await super().get_many(keys)


class BrokenKv(MemoryKv):
    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        raise ZeroDivisionError("a secret of the inside")


def test_a_route_is_written_once():
    assert len({(route.method, route.template) for route in ROUTES}) == len(ROUTES)


async def test_every_reply_says_which_request_it_answers():
    reply = await make_client().call("GET", "/health", headers={"CF-Ray": "8f1c2d3e4b5a6978-FRA"})
    assert reply.headers["X-Request-Id"] == "8f1c2d3e4b5a6978-FRA"


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/sessions/K7Q2M9XA"])
async def test_every_reply_tells_browsers_to_be_careful(path: str):
    reply = await make_client().call("GET", path)
    assert {name: reply.headers[name] for name in BROWSER_HEADERS} == {
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=63072000",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


@pytest.mark.parametrize(
    "name", sorted(set(BROWSER_HEADERS) - {"Content-Security-Policy", "Cross-Origin-Resource-Policy"})
)
def test_the_static_files_tell_browsers_the_same(name: str):
    # The console needs a policy with scripts, and the client is for pages of other origins.
    assert f"  {name}: {BROWSER_HEADERS[name]}\n" in (SITE / "_headers").read_text()


@pytest.mark.parametrize(("method", "path"), [each for each in EVERY_ROUTE if not each[1].startswith("/pages/")])
async def test_nothing_is_done_for_a_page_of_another_origin(method: str, path: str):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv)
    for fields in ({"Origin": "https://evil.example", "Host": "waypost.example"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = await client.call(method, path, {}, headers=fields)
        assert (reply.status, kv.asked) == (403, [])
        assert b"origin_not_allowed" in reply.body


async def test_a_page_of_a_named_origin_may_have_things_done():
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({ORIGIN})))
    reply = await client.call("POST", "/api/sessions", headers={"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (201, ORIGIN)


WINDOW = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
CLICKED = {**WINDOW, "Sec-Fetch-User": "?1"}


@pytest.mark.parametrize(("method", "path"), [each for each in EVERY_ROUTE if not each[1].startswith("/pages/")])
@pytest.mark.parametrize(
    "fields", [WINDOW, CLICKED, {**WINDOW, "Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch"}], ids=repr
)
async def test_another_site_opens_no_route_in_a_window_either(method: str, path: str, fields: dict[str, str]):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    budgets = {limit: Budget(0) for limit in Limit}
    reply = await make_client(kv=kv, limiters=budgets).call(method, path, headers=fields)
    assert (reply.status, reply.json()["code"], kv.asked) == (403, "origin_not_allowed", [])
    assert not any(budget.counts for budget in budgets.values())


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_a_person_and_a_page_of_this_origin_may_open_a_route(site: str):
    assert (await make_client().call("GET", "/health", headers={**WINDOW, "Sec-Fetch-Site": site})).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {**CLICKED, "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {**WINDOW, "Sec-Purpose": "prefetch"},
        {**WINDOW, "Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch;prerender"},
        {"Origin": "https://evil.example", "Host": "waypost.example"},
    ],
)
async def test_another_site_neither_embeds_a_page_nor_has_it_loaded_ahead_of_time(fields: dict[str, str]):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    budget = Budget(0)
    reply = await make_client(kv=kv, limiters={Limit.ADDRESS: budget}).call("GET", "/pages/none", headers=fields)
    assert (reply.status, kv.asked, budget.counts) == (403, [], {})


async def test_a_page_is_shown_to_somebody_who_follows_a_link_on_another_site():
    assert (await make_client().call("GET", "/pages/none", headers=CLICKED)).status == 404


async def test_where_nobody_is_known_to_have_clicked_a_page_is_offered_and_nothing_is_counted_or_read():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    budget = Budget(0)
    client = make_client(kv=kv, limiters={Limit.ADDRESS: budget})
    reply = await client.call("GET", "/pages/none", headers=WINDOW)
    assert (reply.status, kv.asked, budget.counts) == (202, [], {})
    assert b'<a href="">' in reply.body
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(("method", "path"), [*EVERY_ROUTE, ("OPTIONS", "/api/request"), ("GET", "/nowhere")])
async def test_plain_http_under_a_name_that_anybody_may_have_made_is_refused(method: str, path: str):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv)
    fields = {"Host": "rebind.example:8787", "Access-Control-Request-Method": "POST"}
    reply = await client.call(method, path, headers=fields, scheme="http")
    assert (reply.status, reply.json()["code"], kv.asked) == (421, "host_not_allowed", [])


async def test_without_a_ray_each_request_gets_an_id_of_its_own():
    client = make_client()
    ids = {(await client.call("GET", "/nowhere")).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3


async def test_every_reply_tells_what_it_cost_in_the_store():
    client = make_client(kv=SlowKv(VirtualClock()))
    session = await client.open_session()
    reply = await client.call("GET", f"/api/sessions/{session.code}")
    assert reply.headers["Server-Timing"] == 'kv;desc="3 operations";dur=25'
    reply = await client.call("GET", "/nowhere")
    assert reply.headers["Server-Timing"] == 'kv;desc="0 operations";dur=0'


@pytest.mark.parametrize("path", ["/health", "/nowhere"])
async def test_every_reply_of_a_placed_worker_tells_where_it_ran(path: str):
    reply = await make_client().call("GET", path, headers={"CF-Placement": "remote-IAD"})
    assert reply.headers["Server-Timing"].endswith(';dur=0, placement;desc="remote-IAD"')


@pytest.mark.parametrize("sent", ["", 'a", kv;dur=1;desc="b', "remote IAD", "é", "a" * 33, "remote-IAD\n"])
async def test_a_place_that_cloudflare_would_not_name_is_not_repeated(sent: str):
    reply = await make_client().call("GET", "/health", headers={"CF-Placement": sent})
    assert reply.headers["Server-Timing"].endswith(";dur=0")
    assert reply.json()["placement"] is None


async def test_a_store_in_memory_is_said_aloud_on_every_reply():
    assert (await make_client(storage="memory").call("GET", "/nowhere")).headers["Waypost-Storage"] == "memory"
    assert "Waypost-Storage" not in (await make_client().call("GET", "/nowhere")).headers


async def test_an_error_that_was_not_expected_is_logged_and_not_shown():
    client = make_client(kv=BrokenKv(VirtualClock()))
    reply = await client.call("GET", "/api/sessions/K7Q2M9XA", headers={"CF-Ray": "8f1c2d3e4b5a6978-FRA"})
    assert (reply.status, reply.json()["code"]) == (500, "internal")
    assert b"ZeroDivision" not in reply.body
    assert b"secret" not in reply.body
    assert "8f1c2d3e4b5a6978-FRA" in reply.json()["detail"]
    [line] = client.log
    assert line.startswith("[8f1c2d3e4b5a6978-FRA] GET failed\n")
    assert "ZeroDivisionError: a secret of the inside" in line


async def test_a_refusal_is_no_news_for_the_log():
    client = make_client()
    await client.call("GET", "/api/sessions/00000000")
    assert client.log == []


async def test_a_store_that_fails_is_503_with_the_time_to_come_back():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: True)
    reply = await make_client(kv=kv).call("GET", "/api/sessions/K7Q2M9XA")
    assert (reply.status, reply.json()["code"], reply.headers["Retry-After"]) == (503, "storage_unavailable", "2")


@pytest.mark.parametrize(("method", "path"), [route for route in EVERY_ROUTE if route[1] != "/health"])
async def test_an_unconfigured_service_refuses_every_route(method: str, path: str):
    reply = await make_client(UNCONFIGURED).call(method, path)
    assert (reply.status, reply.json()["code"]) == (503, "unconfigured")


@pytest.mark.parametrize("path", ["/", "/api", "/api/sessions/", "/API/sessions", "/api/sessions/a/b/c", "/../health"])
async def test_a_path_that_is_not_served_is_404(path: str):
    reply = await make_client().call("GET", path)
    assert (reply.status, reply.json()["code"]) == (404, "not_found")
    assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", sorted({path for _, path in EVERY_ROUTE}))
async def test_a_method_that_a_path_does_not_take_is_405_and_names_those_it_does(path: str):
    reply = await make_client().call("PURGE", path)
    fitting = [route for route in ROUTES if re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.template), path)]
    # Where one is fixed and another has a parameter, the path is the fixed one's.
    exact = [route for route in fitting if route.template == path] or fitting
    methods = {route.method for route in exact}
    assert (reply.status, reply.json()["code"]) == (405, "method_not_allowed")
    assert set(reply.headers["Allow"].split(", ")) - {"HEAD"} == methods


async def test_head_is_get_without_the_body():
    client = make_client()
    got, head = await client.call("GET", "/health"), await client.call("HEAD", "/health")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


async def test_head_of_a_stream_opens_none():
    client = make_client()
    session = await client.open_session()
    reply = await client.call("HEAD", f"/api/stream?code={session.code}", token=session.host)
    assert (reply.status, reply.body, client.app.isolate.open_streams) == (200, b"", 0)


async def test_head_of_what_is_not_there_is_404_without_a_body():
    reply = await make_client().call("HEAD", "/nowhere")
    assert (reply.status, reply.body) == (404, b"")


async def test_a_query_that_can_not_be_read_is_refused_before_its_route():
    reply = await make_client().call("GET", "/health?a=1&a=2")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")


async def test_a_page_of_a_named_origin_may_read_errors_too():
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({ORIGIN})))
    for path in ("/health", "/nowhere", "/api/sessions/00000000"):
        reply = await client.call("GET", path, headers={"Origin": ORIGIN})
        assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_a_preflight_is_answered_for_any_path_and_allows_only_named_origins():
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({ORIGIN})))
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        reply = await client.call("OPTIONS", "/api/request", headers=headers)
        assert reply.status == 204
        assert reply.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_body_that_breaks_off_is_an_error_that_was_not_expected():
    client = make_client()

    async def breaks_off(limit: int) -> bytes | None:
        raise OSError("the connection is gone")

    class NoHeaders:
        def get(self, name: str) -> str | None:
            return None

    response = await client.app.handle(Request("POST", "/api/sessions", "", NoHeaders(), breaks_off, no_background))
    assert response.status == 500
    assert len(client.log) == 1
