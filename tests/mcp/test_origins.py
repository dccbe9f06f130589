"""A page with a token calls MCP from any origin, and reads the reply; a page without one still does not."""

import asyncio
from typing import Any

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.limiters import Budget
from tests.support.mcp_client import Mcp, connected
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_SESSION_AGE_SECONDS
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import Claims, Role, Signer
from waypost_worker.settings import Settings

PAGE = "https://page.example"
FROM_PAGE = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
READABLE = "Access-Control-Allow-Origin"


async def sent(mcp: Mcp, path: str, method: str = "POST", **headers: str) -> Any:
    body = mcp.request("ping") if method == "POST" else None
    return await mcp.client.call(method, path, body, headers=mcp.headers(FROM_PAGE | headers), token=mcp.token)


async def preflight(mcp: Mcp, path: str, wanted: str, origin: str = PAGE) -> str | None:
    """The origin whose pages may go on to send the request."""
    fields = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    reply = await mcp.client.call("OPTIONS", path, headers=fields)
    assert reply.status == 204
    return reply.headers.get(READABLE)


@pytest.mark.parametrize("template", ["/mcp", "/mcp/{}", "/mcp/", "//mcp/{}/"])
async def test_a_page_that_holds_a_guest_s_token_calls_from_any_origin_and_reads_the_reply(template: str):
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    path = template.format(mcp.session.code)
    assert await preflight(mcp, path, "authorization,content-type,mcp-protocol-version") == PAGE
    reply = await sent(mcp, path)
    assert (reply.status, reply.json()["result"]) == (200, {})
    assert (reply.headers[READABLE], reply.headers["Vary"]) == (PAGE, "Origin")
    assert "Access-Control-Allow-Credentials" not in reply.headers


async def test_a_sandboxed_page_or_an_extension_with_a_token_calls_too():
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    for origin in ("null", "moz-extension://2c127fa4", "vscode-webview://1bav9"):
        assert (await sent(mcp, "/mcp", Origin=origin)).headers[READABLE] == origin


async def test_a_stream_of_a_page_with_a_token_opens():
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    response = await mcp.client.open("GET", "/mcp", headers=mcp.headers(FROM_PAGE), token=mcp.token)
    assert (response.status, response.headers[READABLE]) == (200, PAGE)
    await response.body.aclose()  # type: ignore[union-attr]


async def test_the_code_alone_is_not_enough_for_a_page():
    mcp = await connected()
    path = f"/mcp/{mcp.session.code}"
    assert await preflight(mcp, path, "content-type") is None
    reply = await sent(mcp, path)
    assert (reply.status, reply.json()["code"], reply.headers.get(READABLE)) == (403, "origin_not_allowed", None)


FORGED = ["nonsense", "wp1.guest.AAAAAAAA.9999999999." + "A" * 43, "", "wpm1.x"]


@pytest.mark.parametrize("token", FORGED)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic"])
async def test_a_token_that_is_not_genuine_counts_for_nothing_and_as_no_guess(token: str, scheme: str):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    budgets = {limit: Budget(100) for limit in (Limit.ADDRESS, Limit.MISS)}
    client = make_client(kv=kv, limiters=budgets)
    mcp = Mcp(client, await client.open_session())
    kv.asked.clear()
    spent = dict(budgets[Limit.ADDRESS].counts)
    reply = await sent(mcp, "/mcp", Authorization=f"{scheme} {token}")
    assert (reply.status, reply.headers.get(READABLE)) == (403, None)
    assert (kv.asked, budgets[Limit.MISS].counts, budgets[Limit.ADDRESS].counts) == ([], {}, spent)


async def test_a_token_for_another_session_or_that_has_expired_is_told_so():
    mcp = await connected()
    other = await connected(client=mcp.client)
    mcp.token = await mcp.client.join(other.session.code)
    reply = await sent(mcp, f"/mcp/{mcp.session.code}")
    assert (reply.status, reply.json()["error"]["data"]) == (403, {"code": "wrong_session"})
    assert reply.headers[READABLE] == PAGE
    await asyncio.sleep(MAX_SESSION_AGE_SECONDS)
    reply = await sent(mcp, "/mcp")
    assert (reply.status, reply.json()["error"]["data"]) == (401, {"code": "token_expired"})
    assert (reply.headers[READABLE], reply.headers["WWW-Authenticate"]) == (PAGE, "Bearer")


async def test_only_mcp_is_open_to_pages_with_tokens():
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    for path in ("/api/request", "/mcpx", "/api/tokens"):
        assert await preflight(mcp, path, "authorization") is None
        reply = await sent(mcp, path)
        assert reply.status in (403, 404)
        assert READABLE not in reply.headers


async def test_no_header_repeats_what_is_no_origin():
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    for origin in ("a\r\nX: 1", "https://a b", "evil", "https://a.example/path", "https://" + "a" * 256):
        assert READABLE not in (await sent(mcp, "/mcp", Origin=origin)).headers
        assert await preflight(mcp, "/mcp", "authorization", origin) is None


async def test_a_service_without_a_signing_key_takes_no_token():
    client = make_client(Settings(problem="The secret SIGNING_KEY is not set."))
    token = Signer((KEY,)).sign(Claims(Role.GUEST, "K7Q2M9XA", 9_999_999_999))
    reply = await client.call("POST", "/mcp", {}, headers=FROM_PAGE, token=token)
    assert (reply.status, reply.json()["code"]) == (403, "origin_not_allowed")


async def test_a_page_of_a_pattern_calls_with_the_code_and_its_tool_s_headers():
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({"https://*.page.example"})))
    mcp = await connected(client=client)
    path = f"/mcp/{mcp.session.code}"
    origin = "https://preview-7.page.example"
    fields = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "mcp-param-region,traceparent"}
    allowed = (await client.call("OPTIONS", path, headers=fields | wanted)).headers
    assert allowed[READABLE] == origin
    assert {"mcp-param-region", "traceparent"} <= set(allowed["Access-Control-Allow-Headers"].split(", "))
    assert (await sent(mcp, path, Origin=origin)).headers[READABLE] == origin
    assert (await sent(mcp, path)).status == 403
