"""Who may speak MCP to a tab: by the code, by a guest's token for it, and from which pages."""

import pytest

from simulation.client import KEY, make_client
from tests.support.mcp_client import Mcp, connected
from waypost_worker.settings import Settings


async def told(mcp: Mcp, **headers: str) -> tuple[int, str | None]:
    """The status, and the word for programs."""
    reply = await mcp.send(mcp.request("tools/list"), mcp.mirrored(mcp.request("tools/list")) | headers)
    body = reply.json()
    if reply.headers["Content-Type"] == "application/problem+json":
        return reply.status, body["code"]
    return reply.status, body["error"]["data"]["code"] if "error" in body else None


async def test_the_code_alone_opens_its_tab():
    assert await told(await connected()) == (200, None)


async def test_a_guest_s_token_opens_the_tab_it_is_for_with_and_without_the_code():
    mcp = await connected()
    mcp.token = await mcp.client.join(mcp.session.code)
    assert await told(mcp) == (200, None)
    mcp.path = "/mcp"
    assert await told(mcp) == (200, None)
    stream = await mcp.get()
    await stream.stop()


async def test_a_token_of_another_tab_opens_nothing():
    mcp = await connected()
    other = await connected(client=mcp.client)
    mcp.token = await mcp.client.join(other.session.code)
    assert await told(mcp) == (403, "wrong_session")


async def test_a_host_s_token_is_for_hosts():
    mcp = await connected()
    mcp.token = mcp.session.host
    assert await told(mcp) == (403, "wrong_role")
    mcp.path = "/mcp"
    assert await told(mcp) == (403, "wrong_role")


@pytest.mark.parametrize("token", ["nonsense", "wp1.guest.AAAAAAAA.9999999999." + "A" * 43])
async def test_a_token_that_is_not_good_is_401_with_a_challenge(token: str):
    mcp = await connected(token=None)
    mcp.token = token
    for path in ("", "/mcp"):
        mcp.path = path
        reply = await mcp.send(mcp.request("ping"))
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert reply.json()["error"]["data"] == {"code": "invalid_token"}


async def test_a_session_s_id_and_an_event_s_id_are_no_tokens():
    mcp = await connected()
    stream = await mcp.get()
    for token in (mcp.session_id, "wpm1." + str(mcp.session_id)):
        mcp.token, mcp.path = token, "/mcp"
        assert (await told(mcp))[0] == 401
    await stream.stop()


async def test_without_a_code_a_token_is_needed():
    mcp = await connected()
    mcp.path = "/mcp"
    for method in ("POST", "GET"):
        reply = await mcp.client.call(method, "/mcp", mcp.request("ping") if method == "POST" else None)
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert reply.json()["error"]["data"] == {"code": "token_required"}


async def test_where_a_code_is_not_enough_a_token_is_needed():
    client = make_client(Settings(signing_keys=(KEY,), require_token=True))
    mcp = Mcp(client, await client.open_session())
    assert await told(mcp) == (401, "token_required")
    mcp.token = await client.join(mcp.session.code)
    assert await told(mcp) == (200, None)


async def test_a_code_that_nobody_has_is_404_and_tells_apart_from_an_unknown_method():
    mcp = await connected(is_modern=True)
    mcp.path = "/mcp/00000000"
    assert await told(mcp) == (404, "session_not_found")
    mcp.path = "/mcp/what"
    assert await told(mcp) == (400, "invalid_code")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://waypost.example", "Host": "waypost.example"}, 200),
        ({"Origin": "https://app.example"}, 200),
        ({"Origin": "http://localhost:8787", "Host": "localhost:8787"}, 200),
        ({"Origin": "http://127.0.0.1:8787", "Host": "127.0.0.1:8787"}, 200),
        ({"Origin": "http://[::1]:8787", "Host": "[::1]:8787"}, 200),
        # A name that was made to point at this machine.
        ({"Origin": "http://evil.example:8787", "Host": "evil.example:8787"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        # The tab on a phone in the same network.
        ({"Origin": "http://192.168.0.2:8787", "Host": "192.168.0.2:8787"}, 200),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
async def test_pages_of_other_origins_may_not_call(headers: dict[str, str], status: int):
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({"https://app.example"})))
    mcp = await connected(client=client)
    assert (await told(mcp, **headers))[0] == status
    if status != 200:
        reply = await mcp.client.call("GET", mcp.url, headers=mcp.headers(headers))
        assert reply.status == 403
        assert b'"code":"origin_not_allowed"' in reply.body


@pytest.mark.parametrize("template", ["/mcp/{}/", "//mcp/{}", "/mcp//{}", "//mcp/{}//"])
async def test_slashes_too_many_lead_to_the_same_tab_without_a_redirect(template: str):
    mcp = await connected()
    mcp.path = template.format(mcp.session.code)
    assert await told(mcp) == (200, None)
    stream = await mcp.get()
    await stream.stop()
    assert (await mcp.client.call("DELETE", mcp.path)).status == 405


async def test_the_address_without_a_code_may_end_with_a_slash():
    mcp = await connected()
    mcp.token, mcp.path = await mcp.client.join(mcp.session.code), "/mcp/"
    assert await told(mcp) == (200, None)
    mcp.token = None
    assert await told(mcp) == (401, "token_required")


async def test_a_base_that_ends_with_a_slash_serves_the_api_and_an_empty_segment_does_not():
    client = make_client()
    session = await client.open_session()
    assert (await client.open("GET", f"//api/sessions/{session.code}")).status == 200
    assert (await client.open("GET", f"/api/sessions/{session.code}/")).status == 404
    assert (await client.open("DELETE", "/api/sessions/")).status == 404
