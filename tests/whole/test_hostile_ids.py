"""Names from outside that try to get out of their place in a key: refused wherever a name is taken, in a path, a query
or a body; and where an app's names may have nearly every character, they stay within their own part of the key."""

import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from simulation.client import Client, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from waypost_worker.app import ROUTES
from waypost_worker.ids import STEPS
from waypost_worker.kv.memory import MemoryKv

HOSTILE: dict[str, bytes] = {
    "a colon": b"a:b",
    "another prefix": b"session:K7Q2M9XA",
    "a slash": b"a/b",
    "a step": b".",
    "a step up": b"..",
    "steps and a slash": b"../../x",
    "NUL": b"a\0b",
    "CR LF": b"a\r\nb",
    "a line separator": "a\u2028b".encode(),
    "right-to-left override": "a\u202eb".encode(),
    "513 bytes": b"a" * 513,
    "an encoded surrogate": b"a\xed\xa0\x80b",
    "an overlong slash": b"a\xc0\xafb",
    "half a character": b"a\xc3",
    "a space": b" ",
    "nothing": b"",
}
"""As bytes: some are no text."""

FOR_APPS = {"a colon", "another prefix", "a slash", "steps and a slash"}
"""What an app may call its own: such names stand percent-encoded in keys."""

APP_PARAMETERS = {"threadId", "resourceId"}

PARTS = {
    "session": (2,),
    "ended": (2,),
    "address": (2, 3),
    "tools": (2,),
    "host": (2,),
    "req": (3,),
    "res": (4,),
    "wake": (3,),
    "conv": (2, 3),
    "img": (3,),
    "thread": (3,),
    "gen": (3,),
    "stop": (2,),
    "intents": (2,),
    "theme": (2,),
    "doc": (3,),
    "page": (2,),
    "pages": (3,),
}
"""Of how many parts a key consists, by its first one."""

PART = re.compile(r"[A-Za-z0-9._~%-]+")


class Place(NamedTuple):
    """Where a name is taken: `@@` stands for it in the URL or in the body."""

    method: str
    url: str
    body: Any = None
    is_apps: bool = False

    @property
    def is_hosts(self) -> bool:
        """Whether it is for the session's host."""
        ends = "/response", "/ack", "/tools", "/extend", "/address"
        return self.url.endswith(ends) or self.url.startswith(("/api/stream", "/api/poll"))

    def __str__(self) -> str:
        return f"{self.method} {self.url} {json.dumps(self.body) if self.body else ''}".strip()


PATH_BODIES: dict[str, Any] = {
    "/api/sessions/{code}/tools": {"tools": []},
    "/api/sessions/{code}/address": {"secret": "s" * 43},
    "/api/request/{id}/cancel": {"code": "$CODE"},
    "/api/conversations/{sessionId}/messages": {"messages": [{"role": "user", "content": ""}]},
    "/api/conversations/{sessionId}/pop": {"id": "p"},
    "/api/chat/{threadId}/stop": {},
    "/api/threads/{threadId}": {},
    "/mcp/{code}": {"jsonrpc": "2.0", "id": 1, "method": "ping"},
}

REFUSALS = {
    "invalid_id",
    "invalid_code",
    "invalid_cursor",
    "invalid_parameter",
    "invalid_encoding",
    "session_id_required",
    "not_found",
}
"""What says that it is the name that is wrong."""

MCP = {*REFUSALS, "a JSON-RPC error", "method_not_allowed"}
"""MCP has errors of its own, and refuses some methods whatever the path says."""


def in_paths() -> list[Place]:
    """Every parameter of every route."""
    found = []
    for route in ROUTES:
        names = re.findall(r"\{(\w+)\}", route.template)
        # A message's id is no part of a key.
        for name in filter(lambda name: name != "messageId", names):
            url = route.template.replace(f"{{{name}}}", "@@")
            url = re.sub(r"\{\w+\}", "x", url)
            found.append(Place(route.method, url, PATH_BODIES.get(route.template), name in APP_PARAMETERS))
    return found


THREAD = {"threadId": "t", "resourceId": "r"}
FORK = {"forkFromThreadId": "t", "threadId": "new", "resourceId": "r"}
ASK = {"code": "$CODE", "tool": "t"}
PAGE = {"html": "", "sessionId": "s"}
SAID = {"role": "user", "content": ""}
UI = {
    "id": "t",
    "resourceId": "r",
    "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}],
}

IN_BODIES = [
    Place("POST", "/api/request", {**ASK, "code": "@@"}),
    Place("POST", "/api/request", {**ASK, "id": "@@"}),
    Place("POST", "/api/request", {**ASK, "producer": "@@", "seq": 1}),
    Place("POST", "/api/request/x/cancel", {"code": "@@"}),
    Place("POST", "/api/response", {"code": "@@", "id": "x", "result": 1}),
    Place("POST", "/api/response", {"code": "$CODE", "id": "@@", "result": 1}),
    Place("POST", "/api/ack", {"code": "@@", "cursors": ["x"]}),
    Place("POST", "/api/ack", {"code": "$CODE", "cursors": ["@@"]}),
    Place("POST", "/api/voice-agent/chat", {"question": "Hi", "sessionId": "@@"}),
    Place("PUT", "/api/pages/x", {**PAGE, "sessionId": "@@"}),
    Place("POST", "/api/chat", {"message": "Hi", **THREAD, "threadId": "@@"}, is_apps=True),
    Place("POST", "/api/chat", {"message": "Hi", **THREAD, "resourceId": "@@"}, is_apps=True),
    Place("POST", "/api/chat", {**UI, "id": "@@"}, is_apps=True),
    Place("POST", "/api/chat", {**UI, "resourceId": "@@"}, is_apps=True),
    Place("POST", "/api/chat/fork", {**FORK, "forkFromThreadId": "@@"}, is_apps=True),
    Place("POST", "/api/chat/fork", {**FORK, "threadId": "@@"}, is_apps=True),
    Place("POST", "/api/chat/fork", {**FORK, "resourceId": "@@"}, is_apps=True),
    Place("POST", "/api/chat/t/stop", {"resourceId": "@@"}, is_apps=True),
    Place("DELETE", "/api/sessions", {**THREAD, "threadId": "@@"}, is_apps=True),
    Place("DELETE", "/api/sessions", {**THREAD, "resourceId": "@@"}, is_apps=True),
    Place("POST", "/api/sessions/metadata", {**THREAD, "threadId": "@@"}, is_apps=True),
    Place("POST", "/api/sessions/metadata", {**THREAD, "resourceId": "@@"}, is_apps=True),
    Place("POST", "/api/threads", {**THREAD, "threadId": "@@"}, is_apps=True),
    Place("POST", "/api/threads", {**THREAD, "resourceId": "@@"}, is_apps=True),
    Place("PATCH", "/api/threads/t", {"resourceId": "@@"}, is_apps=True),
    Place("PUT", "/api/conversations/x", {"messages": [], "forkedFrom": {"threadId": "@@"}}, is_apps=True),
]  # fmt: skip

IN_QUERIES = [
    Place("GET", "/api/stream?code=@@"),
    Place("GET", "/api/poll?code=@@"),
    Place("GET", "/api/poll?code=$CODE&after=@@"),
    Place("DELETE", "/api/pages/x?sessionId=@@"),
    Place("GET", "/api/pages/x?sessionId=@@"),
    Place("GET", "/api/sessions?resourceId=@@", is_apps=True),
    Place("GET", "/api/sessions?resourceId=r&cursor=@@"),
    Place("GET", "/api/chat/t/stream?resourceId=@@", is_apps=True),
]

PLACES = in_paths() + IN_BODIES + IN_QUERIES
OPTIONAL_WHEN_EMPTY = {"/api/poll?code=$CODE&after=@@", "/api/sessions?resourceId=r&cursor=@@"}
"""Where nothing is as good as not given."""


def as_json(name: bytes) -> bytes:
    """`name` between quotes, its bytes as they are where they are no text."""
    return b"".join(b"\\u%04x" % byte if byte < 0x20 else bytes([byte]) for byte in name)


async def send(client: Client, place: Place, name: bytes, code: str, token: str) -> str:
    """The code of the problem with which `name` is answered at `place`; empty if it is taken."""
    url = place.url.replace("@@", quote(name, safe="")).replace("$CODE", code)
    body = b""
    if place.body is not None:
        body = json.dumps(place.body).encode().replace(b"@@", as_json(name)).replace(b"$CODE", code.encode())
    accept = {"Accept": "application/json, text/event-stream"}
    token = token if place.is_hosts else ""
    response = await client.open(place.method, url, body=body, token=token, headers=accept)
    if not isinstance(response.body, bytes | None):
        async for _ in response.body:
            pass
    if response.status < 400:
        return ""
    assert response.status < 500
    if response.body is None:
        return "method_not_allowed"
    return str(json.loads(response.body).get("code", "a JSON-RPC error"))


async def keys(kv: MemoryKv) -> set[str]:
    return {key.name for key in (await kv.list("")).keys}


def check_shape(key: str) -> None:
    kind, *rest = key.split(":")
    assert 1 + len(rest) in PARTS[kind], key
    assert all(PART.fullmatch(part) and part not in STEPS for part in rest), key


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_a_hostile_name_is_refused_and_leaves_nothing_in_the_store(place: Place):
    store = MemoryKv(VirtualClock())
    kv = FaultyKv(store, lambda *_: False)
    client = make_client(kv=kv)
    session = await client.open_session()
    refusals = MCP if place.url.startswith("/mcp/") else REFUSALS
    for what, name in HOSTILE.items():
        if (place.is_apps and what in FOR_APPS) or (not name and place.url in OPTIONAL_WHEN_EMPTY):
            continue
        before = await keys(store)
        kv.asked.clear()
        assert await send(client, place, name, session.code, session.host) in refusals, what
        # A host that polls is present, and that is written down before its cursor is looked at.
        assert {key for key in await keys(store) - before if not key.startswith("host:")} == set(), what
        for _, key in kv.asked:
            check_shape(key.rstrip(":") + ":x" if key.endswith(":") else key)


@pytest.mark.parametrize("place", [place for place in PLACES if place.is_apps], ids=str)
@pytest.mark.parametrize("what", sorted(FOR_APPS))
async def test_an_apps_names_stay_in_their_part_of_a_key(place: Place, what: str):
    store = MemoryKv(VirtualClock())
    kv = FaultyKv(store, lambda *_: False)
    client = make_client(kv=kv)
    await client.call("POST", "/api/chat", {"message": "Hi", **THREAD})
    assert await send(client, place, HOSTILE[what], "", "") in ("", "thread_not_found", "thread_exists")
    for key in await keys(store):
        check_shape(key)
    for operation, key in kv.asked:
        # A resource's deletion lists what sessions of its threads own, by the beginning that their ids share.
        is_of_sessions = operation == "list" and re.fullmatch(r"(doc|img|pages):t-[\w-]{8}", key)
        check_shape(f"{key}:x" if is_of_sessions else f"{key}x" if operation == "list" and key.endswith(":") else key)


@pytest.mark.parametrize("place", IN_BODIES, ids=str)
async def test_half_of_a_surrogate_pair_is_no_name(place: Place):
    client = make_client()
    session = await client.open_session()
    body = json.dumps(place.body).encode().replace(b"@@", b"\\ud800").replace(b"$CODE", session.code.encode())
    reply = await client.call(
        place.method, place.url, body=body, token=session.host if "$CODE" in str(place.body) else None
    )
    assert reply.status == 400
    assert reply.json()["code"] in ("invalid_id", "invalid_code", "invalid_cursor")


async def test_two_apps_names_that_differ_never_share_a_key():
    store = MemoryKv(VirtualClock())
    client = make_client(kv=store)
    names = [("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c"), ("a", "b%3Ac"), ("A", "b:c")]
    for resource_id, thread_id in names:
        asked = {"message": "Hi", "resourceId": resource_id, "threadId": thread_id}
        assert (await client.call("POST", "/api/chat", asked)).status == 200
    assert sum(key.startswith("thread:") for key in await keys(store)) == len(names)
