"""Requests that are almost right, and an application that has something for them to meet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from simulation.client import KEY, Client, make_client
from tests.support.fuzzing.almost import almost_bytes, almost_json, almost_text
from tests.support.isolation.calls import HEADERS, SHAPES, Sent, make_call
from tests.support.isolation.table import access_rows
from tests.support.isolation.world import APP_KEY, Answered, World, build_world
from tools.openapi import PATH
from waypost_worker.app import ROUTES
from waypost_worker.http.messages import STATUS
from waypost_worker.kv.store import Kv
from waypost_worker.settings import Settings

CALLERS = ("host", "guest", "token", "key", "ids")
MOMENT_SECONDS = 0.5
"""How long a stream is listened to, in virtual time."""

DOCUMENTED: Any = json.loads(PATH.read_text())
ROUTE_NAMES = [f"{route.method} {route.template}" for route in ROUTES]
FIELDS: Mapping[str, list[str]] = {
    "Content-Type": ["application/json", "application/json; charset=latin1", "application/x-ndjson", "text/plain", ""],
    "Content-Encoding": ["identity", "gzip"],
    "Content-Length": ["0", "5", "99999999999999999999999999", "-1", "1_0", "\u0663"],
    "Accept": [
        "*/*",
        "application/x-ndjson",
        "text/event-stream",
        "text/x-vercel-ai-ui-message-stream",
        "text/html;q=x",
    ],
    "Origin": ["https://app.example", "null", "http://[", "http://localhost:8787", "http://evil.example"],
    "Sec-Fetch-Site": ["same-origin", "cross-site", "none", "\0"],
    "Host": ["localhost:8787", "[", ""],
    "CF-Ray": ["8f00ba4", "\r\nx: y", "a" * 500],
    "MCP-Protocol-Version": ["2025-11-25", "2026-07-28", "1999-01-01", ""],
    "Mcp-Method": ["tools/list"],
}
BROWSER_FIELDS = ("Origin", "Sec-Fetch-Site", "Host")
QUERIES = ["wait=0", "wait=60", "after=", "limit=0", "limit=50", "format=ui", "format=jsonl", "token=x", "metadata.a=1"]


async def new_application(kv: Kv | None = None) -> tuple[Client, World]:
    """An application, and a world in it."""
    client = make_client(Settings(signing_keys=(KEY,), app_keys=(APP_KEY,)), kv)
    return client, await build_world("ada", sender(client))


class sender:
    """Sends to `client`; of streams some chunks are read."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, sent: Sent, *, hold: bool = False) -> Answered:
        response = await self._client.open(sent.method, sent.url, headers=sent.headers, body=sent.body)
        body = response.body
        if not isinstance(body, AsyncGenerator):
            return Answered(response.status, response.headers, body or b"")
        chunks: list[bytes] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT_SECONDS):
                async for chunk in body:
                    chunks.append(chunk)
                    if hold:
                        break
        await body.aclose()
        return Answered(response.status, response.headers, b"".join(chunks))


@st.composite
def almost_requests(draw: st.DrawFn, world: World) -> Sent:
    """A call of a route by a caller of `world`, with up to three changes to it."""
    route = draw(st.sampled_from(ROUTE_NAMES))
    # Mostly a caller that may call it, or nearly all calls would fail at authentication.
    welcome = [name for name, outcome in access_rows()[route].items() if outcome == "ok" and name in CALLERS]
    caller = draw(st.sampled_from((*welcome * 3, *CALLERS, "")))
    ids = dict(world.ids) | {"taken": draw(st.sampled_from((world.ids["request_event"], world.ids["answer_event"])))}
    for name in draw(st.lists(st.sampled_from(sorted(ids)), max_size=2)):
        ids[name] = draw(almost_text(list(world.ids.values())))
    sent = make_call(route, ids, draw(almost_text([*world.tokens.values()])) if not caller else world.bearer(caller))
    method, url, headers, body = sent.method, sent.url, dict(sent.headers), sent.body
    examples = _examples(route) + ([json.loads(body)] if body else [])
    is_browser = draw(st.integers(0, 7)) == 0
    if is_browser:
        headers |= {name: draw(almost_text(FIELDS[name])) for name in BROWSER_FIELDS}
    is_changed: bool = draw(st.booleans())
    if examples and is_changed:
        body = draw(almost_bytes(almost_json(examples).map(lambda value: _filled(json.dumps(value), world).encode())))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        name = draw(st.sampled_from(sorted(FIELDS)))
        headers[name] = draw(almost_text(FIELDS[name]))
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(HEADERS))
        headers[name] = draw(almost_text(["*", '"a"', *world.ids.values()]))
    if draw(st.integers(0, 3)) == 0:
        more = draw(almost_text(QUERIES)) if draw(st.booleans()) else urlencode({draw(st.text(max_size=5)): "\0"})
        url += ("&" if "?" in url else "?") + more
    if draw(st.integers(0, 15)) == 0:
        url = "/" + quote(draw(almost_text([url])), safe=draw(st.sampled_from(("/", "/%?&=+", "/?&="))))
    if draw(st.integers(0, 15)) == 0:
        method = draw(st.sampled_from(("HEAD", "OPTIONS", "PATCH", "GET", "POST", "PUT", "DELETE", "TRACE", "\u0130")))
    return Sent(method, url, headers, body)


def check_problem(answered: Answered) -> None:
    """Pass if a refusal is a problem document, or JSON-RPC's own.

    Raises:
        AssertionError
    """
    told = json.loads(answered.body)
    if "jsonrpc" in told:
        assert told["jsonrpc"] == "2.0", told
        assert isinstance(told["error"]["code"], int), told
        assert told["error"]["message"], told
        return
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert told["status"] == answered.status, told
    assert told["code"] == "internal" or STATUS[told["code"]] == answered.status, told
    assert told["title"], told
    assert told["detail"], told


def _examples(route: str) -> list[Any]:
    method, template = route.split(" ")
    operation = DOCUMENTED["paths"].get(template, {}).get(method.lower(), {})
    found = [shape.body for name, shape in SHAPES.items() if name.startswith(f"{route} ") and shape.body is not None]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        found += [example["value"] for example in media.get("examples", {}).values()]
    return found


def _filled(text: str, world: World) -> str:
    for name, value in sorted(world.ids.items(), key=lambda item: -len(item[0])):
        text = text.replace(f"${name}", value)
    return text
