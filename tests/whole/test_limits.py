"""Every limit that a caller can meet, at its edge: what is just within it is taken, one more is refused by name, and
refused before anything is stored."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from simulation.client import Client, Opened, Reply, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.images import image_part
from waypost_worker import limits
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import requests_scope
from waypost_worker.kv.memory import MemoryKv

THREAD = {"resourceId": "ada", "threadId": "t"}


class Edge:
    """A client, its session, and what its last call asked of the store."""

    def __init__(self, client: Client, session: Opened, kv: FaultyKv) -> None:
        self.client = client
        self.session = session
        self._kv = kv

    async def call(self, method: str, url: str, json_body: Any = None, **options: Any) -> Reply:
        self._kv.asked.clear()
        return await self.client.call(method, url, json_body, **options)

    async def put(self, url: str, json_body: Any) -> Reply:
        return await self.call("PUT", url, json_body)

    async def post(self, url: str, json_body: Any = None, **fields: Any) -> Reply:
        return await self.call("POST", url, {**(json_body or {}), **fields})

    async def ask(self, **fields: Any) -> Reply:
        return await self.post("/api/request", {"code": self.session.code, "tool": "t", **fields})

    async def answer(self, **fields: Any) -> Reply:
        body = {"code": self.session.code, "id": "r", **fields}
        return await self.call("POST", "/api/response", body, token=self.session.host)

    async def append(self, **message: Any) -> Reply:
        return await self.post("/api/conversations/c/messages", messages=[{"role": "user", "content": "", **message}])

    async def chat(self, **fields: Any) -> Reply:
        return await self.post("/api/chat", {"message": "Hi", **THREAD, **fields})

    async def tools(self, *tools: Any) -> Reply:
        url = f"/api/sessions/{self.session.code}/tools"
        return await self.call("PUT", url, {"tools": list(tools)}, token=self.session.host)

    def has_written(self) -> bool:
        return "put" in [operation for operation, _ in self._kv.asked]


class Limit(NamedTuple):
    """How to come to the edge, what is answered just within it, and what beyond it."""

    send: Callable[[Edge, int], Awaitable[Reply]]
    taken: int
    refused: tuple[int, str]


INVALID_BODY = (400, "invalid_body")
INVALID_CODE = (400, "invalid_code")
INVALID_ID = (400, "invalid_id")
INVALID_PARAMETER = (400, "invalid_parameter")
TOO_LARGE = (413, "body_too_large")
FULL = (409, "too_many_documents")


def padded(value: Any, size: int) -> bytes:
    """`value` as JSON of `size` bytes."""
    return json.dumps(value).encode().ljust(size)


def object_of(names: int) -> dict[str, int]:
    """An object that has so many names."""
    return {f"{number:x}": 0 for number in range(names)}


def app_id(key_bytes: int) -> str:
    """An id of an app that has so many bytes when it is percent-encoded."""
    return "\u00e9" * (key_bytes // 6) + "a" * (key_bytes % 6)


def metadata(size: int) -> dict[str, str]:
    """Metadata of `size` bytes of JSON."""
    return {"a": "x" * (size - len('{"a":""}'))}


async def page(edge: Edge, **fields: Any) -> Reply:
    return await edge.put("/api/pages/p", {"html": "", "sessionId": "s", **fields})


def page_of(html: str) -> bytes:
    """The body of a page, in UTF-8 without escapes."""
    return json.dumps({"html": html, "sessionId": "s"}, ensure_ascii=False).encode()


async def documents(edge: Edge, count: int) -> Reply:
    for number in range(1, count):
        await edge.put(f"/api/sessions/s/documents/d{number}", number)
    return await edge.put("/api/sessions/s/documents/last", 0)


async def pages(edge: Edge, count: int) -> Reply:
    for number in range(1, count):
        await edge.put(f"/api/pages/p{number}", {"html": "", "sessionId": "s"})
    return await page(edge)


async def nested(edge: Edge, levels: int) -> Reply:
    inner = levels - 1
    return await edge.call("POST", "/api/sessions", body=b'{"data":%s%s}' % (b"[" * inner, b"]" * inner))


async def imported(edge: Edge, count: int, *, end: str | None = None) -> Reply:
    """An import of `count` messages; with an `end` as JSON lines, of which the last one ends so."""
    messages = [{"role": "user", "content": number} for number in range(count)]
    if end is None:
        return await edge.put("/api/conversations/c", {"messages": messages})
    lines = "\n".join(map(json.dumps, messages)) + end
    headers = {"Content-Type": "application/x-ndjson"}
    return await edge.call("PUT", "/api/conversations/c", body=lines.encode(), headers=headers)


async def imported_text(edge: Edge, size: int) -> Reply:
    """An import of one message with a text of so many characters."""
    return await imported_content(edge, "x" * size)


async def imported_content(edge: Edge, content: Any) -> Reply:
    """An import of one message."""
    return await edge.put("/api/conversations/c", {"messages": [{"role": "user", "content": content}]})


async def acknowledged(edge: Edge, count: int) -> Reply:
    cursor = (await edge.ask()).json()["cursor"]
    body = {"code": edge.session.code, "cursors": [cursor] * count}
    return await edge.call("POST", "/api/ack", body, token=edge.session.host)


async def tracked(edge: Edge, producers: int) -> Reply:
    """Coming back with the numbers of so many producers, each as long as it may be."""
    cursor = (await edge.ask()).json()["cursor"]
    after = cursor + "".join(f";{number:064}={limits.MAX_SEQ}" for number in range(producers))
    return await edge.call("GET", f"/api/poll?code={edge.session.code}&after={quote(after)}", token=edge.session.host)


def blank_text(size: int, *, is_part: bool = False) -> bytes:
    """A question whose text has `size` bytes as JSON, and is blank."""
    text = json.dumps(" " * (size - 2))
    message = f'[{{"type":"text","text":{text}}}]' if is_part else text
    return f'{{"threadId":"t","message":{message}}}'.encode()


async def path(edge: Edge, size: int) -> Reply:
    start = "/api/sessions/"
    return await edge.call("GET", start + "x" * (size - len(start)))


def thread_of(size: int, *, old: bool) -> bytes:
    """What the AI SDK sends, of `size` bytes with an old message, or whose last message has `size` bytes."""
    asked: dict[str, object] = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}
    if not old:
        longer = {**asked, "metadata": "x" * (size - len(json.dumps({**asked, "metadata": ""})))}
        return b'{"id":"t","messages":[%s]}' % json.dumps(longer).encode()
    body = b'{"id":"t","messages":[{"id":"a","role":"assistant","text":"%s"},%s]}'
    last = json.dumps(asked).encode()
    return body % (b"x" * (size - len(body % (b"", last))), last)


TABLE: dict[str, list[Limit]] = {
    "MAX_BODY_BYTES": [
        Limit(lambda edge, n: edge.call("POST", "/api/sessions", body=padded({}, n)), 201, TOO_LARGE),
        Limit(lambda edge, n: edge.call("PUT", "/api/sessions/s/theme", body=padded({}, n)), 201, TOO_LARGE),
    ],
    "MAX_CHAT_BODY_BYTES": [
        Limit(lambda edge, n: edge.call("POST", "/api/chat", body=thread_of(n, old=True)), 200, TOO_LARGE)
    ],
    "MAX_QUESTION_BYTES": [
        Limit(lambda edge, n: edge.call("POST", "/api/chat", body=thread_of(n, old=False)), 200, TOO_LARGE),
        Limit(
            lambda edge, n: edge.call("POST", "/api/chat", body=padded({"message": "Hi", "threadId": "t"}, n)),
            200,
            TOO_LARGE,
        ),
    ],
    "MAX_TEXT_PART_BYTES": [
        Limit(lambda edge, n: edge.call("POST", "/api/chat", body=blank_text(n)), 400, TOO_LARGE),
        Limit(lambda edge, n: edge.call("POST", "/api/chat", body=blank_text(n, is_part=True)), 400, TOO_LARGE),
    ],
    "MAX_IMAGE_BYTES": [
        Limit(lambda edge, n: edge.chat(message=[image_part(n)]), 200, TOO_LARGE),
        Limit(lambda edge, n: edge.chat(message=[image_part(100), image_part(n - 100)]), 200, TOO_LARGE),
        Limit(lambda edge, n: edge.append(content=[image_part(n)]), 201, TOO_LARGE),
        Limit(lambda edge, n: imported_content(edge, [image_part(n)]), 200, TOO_LARGE),
    ],
    "MAX_PAGE_BYTES": [
        Limit(lambda edge, n: page(edge, html="x" * n), 201, TOO_LARGE),
        Limit(
            lambda edge, n: edge.call("PUT", "/api/pages/p", body=page_of("\u00e9" * (n // 2) + "x" * (n % 2))),
            201,
            TOO_LARGE,
        ),
    ],
    "MAX_PAGE_BODY_BYTES": [
        Limit(
            lambda edge, n: edge.call("PUT", "/api/pages/p", body=padded({"html": "", "sessionId": "s"}, n)),
            201,
            TOO_LARGE,
        )
    ],
    "MAX_PAGE_TITLE_LENGTH": [Limit(lambda edge, n: page(edge, title="x" * n), 201, INVALID_BODY)],
    "MAX_DOCUMENTS": [Limit(documents, 201, FULL), Limit(pages, 201, FULL)],
    "MAX_JSON_DEPTH": [Limit(nested, 201, (400, "invalid_json"))],
    "MAX_JSON_ELEMENTS": [
        Limit(lambda edge, n: edge.put("/api/sessions/s/theme", {"a": [0] * n}), 201, (400, "invalid_json"))
    ],
    "MAX_SESSION_DATA_BYTES": [
        Limit(lambda edge, n: edge.post("/api/sessions", data="x" * (n - 2)), 201, (400, "invalid_body"))
    ],
    "MAX_JSON_NAMES": [
        Limit(lambda edge, n: edge.put("/api/sessions/s/theme", object_of(n)), 201, (400, "invalid_json")),
        Limit(
            lambda edge, n: edge.put("/api/sessions/s/theme", [object_of(n - n // 2), object_of(n // 2)]),
            201,
            (400, "invalid_json"),
        ),
        Limit(
            lambda edge, n: edge.append(content=[object_of(n - 3), {}]),
            201,
            (400, "invalid_json"),
        ),
    ],
    # At its edge the path leads to a route, which finds no code in it.
    "MAX_PATH_BYTES": [Limit(path, 400, (414, "uri_too_long"))],
    "MAX_QUERY_BYTES": [Limit(lambda edge, n: edge.call("GET", f"/health?{'x' * n}"), 200, INVALID_PARAMETER)],
    "MAX_QUERY_PARAMETERS": [
        Limit(
            lambda edge, n: edge.call("GET", "/health?" + "&".join(f"p{number}" for number in range(n))),
            200,
            INVALID_PARAMETER,
        )
    ],
    "MAX_HEADER_LENGTH": [
        Limit(
            lambda edge, n: edge.call("GET", "/api/sessions/s/documents/d", headers={"If-Match": "x" * n}),
            400,
            (431, "header_too_large"),
        )
    ],
    "MAX_ID_LENGTH": [
        Limit(lambda edge, n: edge.ask(id="x" * n), 202, INVALID_ID),
        Limit(lambda edge, n: edge.ask(producer="x" * n, seq=1), 202, INVALID_ID),
        Limit(lambda edge, n: edge.answer(id="x" * n, result=1), 202, INVALID_ID),
        Limit(lambda edge, n: edge.put(f"/api/sessions/{'x' * n}/theme", {}), 201, INVALID_ID),
        Limit(lambda edge, n: edge.put(f"/api/sessions/s/documents/{'x' * n}", {}), 201, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/sessions/{'x' * n}/documents"), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/sessions/{'x' * n}/pages"), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/conversations/{'x' * n}"), 200, INVALID_ID),
        Limit(
            lambda edge, n: edge.put(f"/api/pages/{'x' * n}", {"html": "", "sessionId": "s"}), 201, INVALID_ID
        ),
        Limit(lambda edge, n: page(edge, sessionId="x" * n), 201, INVALID_ID),
        Limit(
            lambda edge, n: edge.post("/api/voice-agent/chat", question="Hi", sessionId="x" * n), 200, INVALID_ID
        ),
    ],
    "MAX_APP_ID_LENGTH": [
        Limit(lambda edge, n: edge.chat(threadId="x" * n), 200, INVALID_ID),
        Limit(lambda edge, n: edge.chat(resourceId="x" * n), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/sessions?resourceId={'x' * n}"), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("DELETE", "/api/sessions", {**THREAD, "threadId": "x" * n}), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/chat/{'x' * n}/stream"), 204, INVALID_ID),
        Limit(lambda edge, n: edge.post(f"/api/chat/{'x' * n}/stop"), 200, INVALID_ID),
    ],
    "MAX_APP_ID_KEY_BYTES": [
        Limit(lambda edge, n: edge.chat(threadId=app_id(n), resourceId=app_id(n)), 200, INVALID_ID),
        Limit(lambda edge, n: edge.call("GET", f"/api/chat/{quote(app_id(n))}/stream"), 204, INVALID_ID),
    ],
    "MAX_MESSAGE_ID_LENGTH": [
        Limit(lambda edge, n: edge.append(id="x" * n), 201, INVALID_ID),
        Limit(lambda edge, n: edge.chat(messageId="x" * n), 200, INVALID_ID),
        Limit(lambda edge, n: edge.append(role="tool", toolCallId="x" * n), 201, INVALID_BODY),
        Limit(lambda edge, n: edge.append(role="assistant", toolCalls=[{"id": "x" * n}]), 201, INVALID_BODY),
    ],
    "MAX_QUESTION_LENGTH": [
        Limit(
            lambda edge, n: edge.post("/api/voice-agent/chat", question="x" * n, sessionId="s"), 200, INVALID_BODY
        )
    ],
    "MAX_CHAT_MESSAGE_LENGTH": [Limit(lambda edge, n: edge.chat(message="x" * n), 200, INVALID_BODY)],
    "MAX_MESSAGE_CHARACTERS": [Limit(lambda edge, n: imported_text(edge, n), 200, INVALID_BODY)],
    "MAX_APPEND_BYTES": [
        Limit(
            lambda edge, n: edge.call(
                "POST", "/api/conversations/c/messages", body=padded({"messages": [{"role": "user", "content": ""}]}, n)
            ),
            201,
            TOO_LARGE,
        )
    ],
    "MAX_THREAD_TITLE_LENGTH": [
        Limit(lambda edge, n: edge.post("/api/threads", {**THREAD, "title": "x" * n}), 201, INVALID_BODY)
    ],
    "MAX_APPENDED_MESSAGES": [
        Limit(
            lambda edge, n: edge.post(
                "/api/conversations/c/messages", messages=[{"role": "user", "content": ""}] * n
            ),
            201,
            INVALID_BODY,
        )
    ],
    "MAX_IMPORTED_MESSAGES": [
        Limit(imported, 200, INVALID_BODY),
        Limit(lambda edge, n: imported(edge, n, end=""), 200, INVALID_BODY),
        Limit(lambda edge, n: imported(edge, n, end="\n"), 200, INVALID_BODY),
    ],
    "MAX_IMPORT_BYTES": [
        Limit(
            lambda edge, n: edge.call("PUT", "/api/conversations/c", body=padded({"messages": []}, n)), 200, TOO_LARGE
        )
    ],
    "MAX_METADATA_BYTES": [Limit(lambda edge, n: edge.chat(metadata=metadata(n)), 200, INVALID_BODY)],
    "MAX_METADATA_NAME_LENGTH": [Limit(lambda edge, n: edge.chat(metadata={"x" * n: 1}), 200, INVALID_BODY)],
    "MAX_LISTED_THREADS": [
        Limit(lambda edge, n: edge.call("GET", f"/api/sessions?resourceId=ada&limit={n}"), 200, INVALID_PARAMETER)
    ],
    "MAX_TOOL_NAME_LENGTH": [
        Limit(lambda edge, n: edge.ask(tool="x" * n), 202, INVALID_BODY),
        Limit(lambda edge, n: edge.tools({"name": "x" * n}), 200, (400, "invalid_tool")),
        Limit(
            lambda edge, n: edge.append(role="assistant", toolCalls=[{"id": "i", "name": "x" * n}]), 201, INVALID_BODY
        ),
    ],
    "MAX_TOOLS": [
        Limit(lambda edge, n: edge.tools(*({"name": f"t{number}"} for number in range(n))), 200, INVALID_BODY)
    ],
    "MAX_LABEL_LENGTH": [Limit(lambda edge, n: edge.post("/api/sessions", label="x" * n), 201, INVALID_BODY)],
    "MAX_ERROR_CODE_LENGTH": [
        Limit(lambda edge, n: edge.answer(error={"code": "x" * n, "message": ""}), 202, INVALID_BODY)
    ],
    "MAX_ERROR_MESSAGE_LENGTH": [
        Limit(lambda edge, n: edge.answer(error={"code": "c", "message": "x" * n}), 202, INVALID_BODY)
    ],
    "MAX_RESULT_BYTES": [Limit(lambda edge, n: edge.answer(result="x" * (n - 2)), 202, TOO_LARGE)],
    "MAX_INSTANCE_ID_LENGTH": [
        Limit(
            lambda edge, n: edge.call(
                "POST", f"/api/sessions/{edge.session.code}/leave", {"instance": "x" * n}, token=edge.session.host
            ),
            204,
            INVALID_PARAMETER,
        )
    ],
    "MAX_SEQ": [Limit(lambda edge, n: edge.ask(producer="p", seq=n), 202, INVALID_BODY)],
    "MAX_ACK_CURSORS": [Limit(acknowledged, 200, INVALID_BODY)],
    "MAX_WAIT_SECONDS": [
        Limit(
            lambda edge, n: edge.call("GET", f"/api/poll?code={edge.session.code}&wait={n}"), 200, INVALID_PARAMETER
        )
    ],
    "MAX_TYPED_CODE_LENGTH": [
        Limit(lambda edge, n: edge.call("GET", f"/api/sessions/{edge.session.code.ljust(n, '-')}"), 200, INVALID_CODE)
    ],
    "MAX_TRACKED_PRODUCERS": [Limit(tracked, 200, (400, "invalid_cursor"))],
    "MAX_SESSION_AGE_SECONDS": [Limit(lambda edge, n: edge.post("/api/sessions", ttl=n), 201, INVALID_BODY)],
}  # fmt: skip

OF_TIME = "a time, not a size: moved and measured in tests/http/test_body.py"
OF_OUTPUT = "bounds a reply, whatever was asked; tests/queues/test_long_poll.py"
OF_MEMORY = "bounds what an isolate remembers: it drops the oldest and refuses no caller"
OF_MODEL = "bounds what a model's service sends or takes: no caller"
OF_TAB_CHATS = "met by a model and a tab in an answer; tests/chat/test_tab_tools.py"
OF_SETTINGS = "bounds what the operator sets; tests/test_settings.py"
OF_PROMISES = "a span of time that promises of delivery rest on; tests/kv/test_cursor.py, tests/kv/test_retrying.py"
OF_KEYED_ROUTES = "met by holders of an app key only; tests/handlers/test_tokens.py"
OF_MCP = "of MCP's requests, which have tests of their own"

NOT_HERE = {
    "MAX_BODY_SILENCE_SECONDS": OF_TIME,
    "MAX_BODY_SECONDS": OF_TIME,
    "MAX_LARGE_BODY_SECONDS": OF_TIME,
    "MAX_USUAL_BODY_BYTES": "tells two kinds of bodies apart; tests/http/test_body.py",
    "MAX_LIVE_IMAGES_BYTES": "met by several questions at a time; tests/chat/test_chat_images.py",
    "MAX_DECODED_BODY_BYTES": "tells two kinds of bodies apart; tests/http/test_body.py",
    "MAX_QUESTION_MARKS": "met only where the last messages have no question; tests/handlers/test_chat_request.py",
    "MAX_POLL_MESSAGES": OF_OUTPUT,
    "MAX_POLL_BYTES": OF_OUTPUT,
    "MAX_LOADED_BYTES": OF_MEMORY,
    "MAX_RECENT_THREADS": OF_MEMORY,
    "MAX_REMEMBERED_GUESSES": OF_MEMORY,
    "MAX_RECENT_THREADS_BYTES": OF_MEMORY,
    "MAX_LIVE_ANSWERS_BYTES": OF_MEMORY,
    "MAX_LOCAL_BYTES": OF_MEMORY,
    "MAX_CACHE_BYTES": OF_MEMORY,
    "MAX_PAGE_URL_LENGTH": OF_MEMORY,
    "MAX_RESPONSE_BODY_BYTES": "met by a host's token only; tests/handlers/test_response_body.py",
    "MAX_CONTENT_OBJECTS": "a result with more is plain JSON; tests/mcp/test_results.py",
    "MAX_LOADS_BYTES": "met by several large results at a time; tests/http/test_loads.py",
    "MAX_ADDRESS_LOADS_BYTES": "met by several large results at a time; tests/http/test_loads.py",
    "MAX_BODIES_BYTES": "met by several bodies at a time; tests/http/test_body_budget.py",
    "MAX_ADDRESS_BODIES_BYTES": "met by several bodies at a time; tests/http/test_body_budget.py",
    "MAX_STREAMS_PER_SESSION": "met by several streams at a time; tests/http/test_open_streams.py",
    "MAX_STREAMS_PER_ADDRESS": "met by several streams at a time; tests/http/test_open_streams.py",
    "MAX_STREAMS_PER_ISOLATE": "met by several streams at a time; tests/http/test_open_streams.py",
    "MAX_CACHED_TOOL_LISTS": OF_MEMORY,
    "MAX_ADDRESS_LENGTH": "of what Cloudflare says, not of what a caller sends; tests/security/test_client_address.py",
    "MAX_LOOKUPS_AT_ONCE": "met by guessing; tests/security/test_guess_throttle.py",
    "MAX_LIVE_ANSWERS": OF_MEMORY,
    "MAX_PROGRESS_BYTES": "met by a host in an answer to a chat; tests/chat/test_live_answer_tools.py",
    "MAX_LOCAL_ITEMS_PER_TOPIC": OF_MEMORY,
    "MAX_LOCAL_TOPICS": OF_MEMORY,
    "MAX_UNWRITTEN_MESSAGES": OF_MEMORY,
    "MAX_UNWRITTEN_BYTES": OF_MEMORY,
    "MAX_CACHED_SESSIONS": OF_MEMORY,
    "MAX_CACHED_ADDRESSES": OF_MEMORY,
    "MAX_JOINED_CODES": OF_MEMORY,
    "MAX_SERVER_EVENT_BYTES": OF_MODEL,
    "MAX_MODEL_LOG_LENGTH": OF_MODEL,
    "MAX_RETRY_AFTER_SECONDS": OF_MODEL,
    "MAX_ANSWER_SECONDS": OF_MODEL,
    "MAX_MAX_STEPS": OF_SETTINGS,
    "MAX_TOOL_SECONDS": OF_SETTINGS,
    "MAX_VOICE_SECONDS": OF_SETTINGS,
    "MAX_CALLS_PER_STEP": OF_TAB_CHATS,
    "MAX_CALLS_PER_REPLY": OF_TAB_CHATS,
    "MAX_TOOL_ARGS_BYTES": OF_TAB_CHATS,
    "MAX_TOOL_RESULT_BYTES": OF_TAB_CHATS,
    "MAX_TOOL_PROGRESS_BYTES": OF_TAB_CHATS,
    "MAX_TOOL_LOG_BYTES": OF_TAB_CHATS,
    "MAX_ANSWER_CHARACTERS": OF_MODEL,
    "MAX_HISTORY_LIMIT": OF_SETTINGS,
    "MAX_THREAD_HISTORY_LIMIT": OF_SETTINGS,
    "MAX_THREAD_TTL_SECONDS": OF_SETTINGS,
    "MAX_HISTORY_BYTES": OF_SETTINGS,
    "MAX_SMALL_APPEND_BYTES": "decides which budget pays; tests/handlers/test_route_limits.py",
    "MAX_EXPORT_PART_BYTES": "bounds a reply; tests/handlers/test_resources.py",
    "MAX_CODE_LENGTH": OF_SETTINGS,
    "MAX_MODEL_TIMEOUT_SECONDS": OF_SETTINGS,
    "MAX_PROMPT_BUDGET": OF_SETTINGS,
    "MAX_CLOCK_SKEW_SECONDS": OF_PROMISES,
    "MAX_WRITE_SECONDS": OF_PROMISES,
    "MAX_JOURNAL_LENGTH": "starts compaction, refuses no one; tests/conversations/test_conversation_compacted.py",
    "MAX_BATCH_MESSAGES": OF_MCP,
    "MAX_PARAMETER_HEADERS": "bounds a reply; tests/http/test_cors.py",
    "MAX_LINEAGE": "what a fork remembers: older ancestors are dropped; tests/conversations/test_thread_forks.py",
    "MAX_APP_TOKEN_TTL_SECONDS": OF_KEYED_ROUTES,
    "MAX_RPC_ID_LENGTH": OF_MCP,
    "MAX_TRACESTATE_LENGTH": "bounds what is passed on, refuses nothing; tests/http/test_trace_context.py",
    "MAX_TRACESTATE_MEMBERS": "bounds what is passed on, refuses nothing; tests/http/test_trace_context.py",
    "MAX_MAPPED_NAME_LENGTH": "of what MCP clients see, not of what a caller sends; tests/sessions/test_tool_names.py",
}
"""The other limits, and why a caller does not come to their edge by sending more."""

ROWS = [(name, limit) for name, found in TABLE.items() for limit in found]
every_limit = pytest.mark.parametrize(
    ("name", "limit"), ROWS, ids=[f"{name}-{TABLE[name].index(limit)}" for name, limit in ROWS]
)


async def at_the_edge(limit: Limit, n: int) -> tuple[Edge, Reply]:
    clock = VirtualClock()
    kv = FaultyKv(MemoryKv(clock), lambda *_: False)
    client = make_client(kv=kv)
    edge = Edge(client, await client.open_session(), kv)
    return edge, await limit.send(edge, n)


@every_limit
async def test_what_is_just_within_a_limit_is_taken(name: str, limit: Limit):
    _, reply = await at_the_edge(limit, getattr(limits, name))
    assert reply.status == limit.taken, reply.body[:300]
    assert limit.taken < 300 or reply.json()["code"] not in limit.refused


@every_limit
async def test_one_more_is_refused_by_name_before_anything_is_stored(name: str, limit: Limit):
    edge, reply = await at_the_edge(limit, getattr(limits, name) + 1)
    problem = reply.json()
    assert (reply.status, problem["code"]) == limit.refused, problem
    assert len(problem["detail"]) < 200
    assert not edge.has_written()


def test_every_limit_has_its_place_in_the_table_or_a_reason_why_not():
    named = {name for name in vars(limits) if name.startswith("MAX_")}
    assert set(TABLE) | set(NOT_HERE) == named
    assert not set(TABLE) & set(NOT_HERE)


def test_the_longest_path_that_leads_somewhere_is_far_within_its_limit():
    id_bytes = 3 * max(limits.MAX_ID_LENGTH * 2, limits.MAX_APP_ID_LENGTH)
    assert len("/api/sessions//documents/") + id_bytes < limits.MAX_PATH_BYTES / 4


def test_the_longest_header_that_is_issued_here_is_far_within_its_limit():
    cursor = CursorFactory(VirtualClock(), type("Zeros", (), {"random_bytes": lambda _, count: bytes(count)})()).issue(
        requests_scope("K7Q2M9XA")
    )
    producer = len(f";{'p' * limits.MAX_ID_LENGTH}={limits.MAX_SEQ}")
    longest = 2 * len(cursor) + len("~") + limits.MAX_TRACKED_PRODUCERS * producer
    assert longest < limits.MAX_HEADER_LENGTH / 4
