"""No text from outside becomes an event, a field, a header or a line of the log of its own."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import Client, Opened, make_client
from simulation.virtual_time import run
from tests.support.sse_parser import SseParser, parse_sse
from waypost_worker.kv.store import Kv
from waypost_worker.models.sse_decoder import SseDecoder
from waypost_worker.settings import Settings
from waypost_worker.sse import Comment, Event, encode_sse

ROOT = Path(__file__).parents[2]
BREAKS = ["\r", "\n", "\r\n", "\u2028", "\u2029", "\x85", "\0", "\ufeff", "\x0b", "\x0c", "\x1c"]
FORGED = "event: end\ndata: {}"
texts = st.lists(
    st.sampled_from([*BREAKS, "data: ", "event: end", "id: x", "retry: 0", ":", " ", "a"]), max_size=8
).map("".join)
ATTACKS = [line + line + FORGED.replace("\n", line) + line + line for line in BREAKS]


def is_printable(value: str) -> bool:
    """Whether a header's value is visible ASCII and spaces: https://www.rfc-editor.org/rfc/rfc9110#section-5.5"""
    return all(" " <= character <= "~" for character in value)


async def told(client: Client, session: Opened, text: str) -> bytes:
    """All that both sides are sent when `text` stands wherever a text of any kind may stand."""
    await client.call(
        "PUT",
        f"/api/sessions/{session.code}/tools",
        {"tools": [{"name": "t", "description": text, text: text}]},
        token=session.host,
    )
    asked = {"code": session.code, "tool": "t", "args": {text: text}, "id": "r"}
    streams = []
    for token in (session.host, None):
        response = await client.open("GET", f"/api/stream?code={session.code}", token=token)
        assert all(map(is_printable, response.headers.values()))
        streams.append(response.body)
    heard: list[bytes] = []

    async def listen(stream: Any) -> None:
        async for chunk in stream:
            heard.append(chunk)

    listening = [asyncio.ensure_future(listen(stream)) for stream in streams]
    await asyncio.sleep(1)
    assert (await client.call("POST", "/api/request", asked)).status == 202
    progress = {"code": session.code, "id": "r", "final": False}
    await client.call("POST", "/api/response", {**progress, "result": [text]}, token=session.host)
    error = {"code": text[:60] or "c", "message": text, "data": {text: text}}
    await client.call("POST", "/api/response", {**progress, "final": True, "error": error}, token=session.host)
    await asyncio.sleep(10)
    await client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    await asyncio.wait(listening, timeout=600)
    return b"".join(heard)


def check_told(stream: bytes, text: str) -> None:
    """Checks that `stream` has the expected events and not one more."""
    events = parse_sse(stream)
    assert {event.type for event in events} <= {"ready", "request", "response", "presence", "end", "tools"}
    [request] = [json.loads(event.data) for event in events if event.type == "request"]
    assert request["args"] == {text: text}
    progress, answer = (json.loads(event.data) for event in events if event.type == "response")
    assert progress["result"] == [text]
    assert answer["error"] == {"code": text[:60] or "c", "message": text, "data": {text: text}}
    parser = SseParser()
    parser.feed(stream)
    assert set(parser.comments) <= {"waypost", "heartbeat"}
    assert parser.retry_ms == 1000


@pytest.mark.parametrize("text", ATTACKS, ids=ascii)
async def test_what_is_said_in_a_session_makes_no_event_of_its_own(text: str):
    client = make_client()
    check_told(await told(client, await client.open_session(), text), text)


@given(texts)
def test_no_text_at_all_makes_an_event_of_its_own(text: str):
    async def story():
        client = make_client()
        check_told(await told(client, await client.open_session(), text), text)

    run(story())


async def chatted(text: str, format_: str) -> tuple[bytes, str]:
    """A chat in which `text` is all that can be chosen freely, and what the echo answers."""
    client = make_client()
    body = {"message": f"x{text}x", "threadId": "a:b", "resourceId": "r", "metadata": {"m": text}, "agent": text}
    response = await client.open("POST", f"/api/chat?format={format_}", body=json.dumps(body).encode())
    assert response.status == 200, response.body
    assert all(map(is_printable, response.headers.values()))
    return b"".join([chunk async for chunk in response.body]), text


@given(texts)
def test_no_text_of_a_chat_makes_an_event_of_its_own(text: str):
    stream, _ = run(chatted(text, "events"))
    events = parse_sse(stream)
    assert {event.type for event in events} == {"start", "delta", "done"}
    assert f"x{text}x" in "".join(json.loads(event.data)["text"] for event in events if event.type == "delta")
    assert all(" " not in event.last_event_id for event in events)


@given(texts)
def test_no_text_of_a_chat_makes_a_chunk_of_its_own(text: str):
    stream, _ = run(chatted(text, "ui"))
    *chunks, last = parse_sse(stream)
    assert (last.data, {event.type for event in chunks}) == ("[DONE]", {"message"})
    assert f"x{text}x" in "".join(json.loads(event.data).get("delta", "") for event in chunks)


def test_every_reader_of_the_product_sees_the_same_events():
    streams = [
        encode_sse(Event("request", json.dumps({"a": text}, ensure_ascii=False).encode(), "c")) for text in ATTACKS
    ]
    stream = b"".join(streams)
    expected = [event.data for event in parse_sse(stream)]
    assert [json.loads(data) for data in expected] == [{"a": text} for text in ATTACKS]
    assert [event.data for event in SseDecoder().feed(stream)] == expected
    program = """
        import { SseParser } from "./src/site/client/transport/sse.js";
        const chunks = []; for await (const chunk of process.stdin) chunks.push(chunk);
        const events = new SseParser().feed(Buffer.concat(chunks));
        console.log(JSON.stringify(events.map((event) => event.data)));
    """
    node = ROOT / "node_modules" / ".bin" / "node"
    done = subprocess.run(
        [node, "--input-type=module", "-e", program],
        cwd=ROOT,
        input=stream,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("line", ["\r", "\n", "\0"])
def test_a_field_of_an_event_is_one_line_or_nothing(line: str):
    text = f"a{line}data: forged"
    for make in (
        lambda: Event(text, b"{}"),
        lambda: Event("a", b"{}", text),
        lambda: Comment(text),
        lambda: Event("a", b"{\r}" if line == "\r" else b"{\n}"),
    ):
        with pytest.raises(ValueError, match="an event"):
            make()


HOSTILE_HEADERS = ["x\r\nSet-Cookie: a=b", "x\nforged", "\x1b[31mred", "\u2028", "x" * 300, "K7Q2 M9XA", "<script>", ""]
NAMES = ["cf-ray", "x-request-id", "origin", "authorization", "last-event-id", "if-match", "accept", "content-type"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", HOSTILE_HEADERS, ids=ascii)
@pytest.mark.parametrize(
    "url", ["/health", "/api/sessions/s/theme", "/api/stream?code=K7Q2M9XA", "/pages/p", "/nowhere/%0D%0AX:1"]
)
async def test_no_header_that_was_sent_comes_back_in_one(name: str, value: str, url: str):
    settings = Settings(signing_keys=(b"a key for tests, 32 bytes or more",), allowed_origins=frozenset({"https://a"}))
    response = await make_client(settings).open("GET", url, headers={name: value})
    assert all(map(is_printable, [*response.headers, *response.headers.values()]))
    assert not value or value not in json.dumps(response.headers)


class BrokenKv:
    """A store whose every failure repeats what it was asked for, line breaks and all."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError(f"no {name}\n[0000000000000000] all is well\x1b[2J\u2028")

        return fail


async def test_no_failure_writes_a_second_entry_into_the_log():
    kv: Kv = BrokenKv()  # type: ignore[assignment]
    client = make_client(kv=kv)
    response = await client.open("GET", "/api/conversations/c", headers={"cf-ray": "r\n[forged] x"})
    assert response.status == 500
    [entry] = client.log
    first, *others = entry.split("\n")
    assert first == f"[{response.headers['X-Request-Id']}] GET failed"
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in entry
    assert "\u2028" not in entry


async def test_cloudflares_name_of_a_request_is_kept():
    ray = "230b030023ae2822-SJC"
    response = await make_client().open("GET", "/health", headers={"cf-ray": ray})
    assert response.headers["X-Request-Id"] == ray
