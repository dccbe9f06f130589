"""`PUT /api/conversations/{sessionId}`: what was taken along is brought back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import KEY, Client, Reply, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.faulty_kv import FaultyKv
from tests.support.strategies import json_values
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import (
    MAX_APP_ID_LENGTH,
    MAX_BODY_BYTES,
    MAX_IMPORT_BYTES,
    MAX_IMPORTED_MESSAGES,
    MAX_JSON_DEPTH,
)
from waypost_worker.settings import Settings

PATH = "/api/conversations/s"
NDJSON = {"Content-Type": "application/x-ndjson"}
START = "2026-01-01T00:00:00.000Z"

ids = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=8)
contents = json_values.filter(lambda value: value is not None)
calls = st.lists(
    st.fixed_dictionaries({"id": ids, "name": st.text(st.characters(codec="utf-8"), max_size=8), "args": json_values}),
    min_size=1,
    max_size=2,
)


def tool_events(args: Any, report: Any, result: Any) -> list[dict[str, Any]]:
    """The events of two calls, as they are exported."""
    return [
        {"kind": "call", "id": "c1", "name": "add", "value": args, "text": 12, "reasoning": 3},
        {"kind": "call", "id": "c2", "text": 12, "reasoning": 3},
        {"kind": "progress", "id": "c1", "value": report, "text": 12, "reasoning": 3},
        {"kind": "result", "id": "c1", "value": result, "isError": True, "text": 12, "reasoning": 3},
        {"kind": "call", "id": "c3", "name": "wait", "text": 17, "reasoning": 3, "step": 1},
    ]


times = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
messages = st.lists(
    st.fixed_dictionaries(
        {"id": ids, "role": st.sampled_from(["user", "system"]), "content": contents, "timestamp": times}
    )
    | st.fixed_dictionaries(
        {"id": ids, "role": st.just("assistant"), "content": contents, "timestamp": times},
        optional={"partial": st.just(True), "toolCalls": calls, "reasoning": st.just("Hm.")},
    )
    | st.fixed_dictionaries(
        {
            "id": ids,
            "role": st.just("assistant"),
            "content": st.just("Let me see. Done."),
            "timestamp": times,
            "reasoning": st.just("Hm."),
            "toolEvents": st.builds(tool_events, contents, contents, contents),
        },
    ),
    max_size=6,
    unique_by=lambda message: str(message["id"]),
).map(
    # Each call has its result.
    lambda said: [
        *said,
        *(
            {
                "id": f"{message['id']} result {number}",
                "role": "tool",
                "content": 1.0,
                "timestamp": START,
                "toolCallId": call["id"],
            }
            for message in said
            for number, call in enumerate(message.get("toolCalls", ()))
        ),
    ]
)


def marked(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`said` as it is exported: a system message that came without an app key is a user's."""
    return [message | ({"byUser": True} if message["role"] == "system" else {}) for message in said]


async def put(client: Client, body: Any, **options: Any) -> Reply:
    return await client.call("PUT", PATH, body, **options)


async def exported(client: Client, format: str, path: str = PATH) -> bytes:
    return (await client.call("GET", f"{path}?format={format}")).body


def client_that_keeps(limit: int) -> Client:
    return make_client(Settings(signing_keys=(KEY,), history_limit=limit))


@given(messages, st.none() | st.just({"threadId": "t"}) | st.just({"threadId": "t", "messageId": "m"}))
def test_what_was_exported_as_json_and_is_brought_back_is_exported_the_same(said: list, forked_from: dict | None):
    async def story():
        client = client_that_keeps(100)
        body = {"messages": said} | ({"forkedFrom": forked_from} if forked_from else {})
        answered = (await put(client, body)).body
        once = await exported(client, "json")
        assert once == answered
        assert (await client.call("PUT", "/api/conversations/other", body=once)).status == 200
        again = await exported(client, "json", "/api/conversations/other")
        assert again.replace(b'"sessionId":"other"', b'"sessionId":"s"', 1) == once
        assert json.loads(once)["messages"] == marked(said)
        assert json.loads(once).get("forkedFrom") == forked_from

    run(story())


@given(messages)
def test_what_was_exported_as_lines_and_is_brought_back_is_exported_the_same(said: list):
    async def story():
        client = client_that_keeps(100)
        lines = "".join(json.dumps(message) + "\n" for message in said)
        assert (await client.call("PUT", PATH, body=lines.encode(), headers=NDJSON)).status == 200
        once = await exported(client, "jsonl")
        assert [json.loads(line) for line in once.splitlines()] == marked(said)
        assert (await client.call("PUT", "/api/conversations/other", body=once, headers=NDJSON)).status == 200
        assert await exported(client, "jsonl", "/api/conversations/other") == once

    run(story())


async def test_what_there_was_is_replaced():
    client = make_client()
    first, second = ({"role": "user", "content": "old", "id": name} for name in "ab")
    await client.call("POST", f"{PATH}/messages", {"messages": [first, second]})
    await put(client, {"messages": [first | {"content": "new"}], "forkedFrom": {"threadId": "t"}})
    read = (await client.call("GET", PATH)).json()
    assert [message["content"] for message in read["messages"]] == ["new"]
    await put(client, {"messages": []})
    assert (await client.call("GET", PATH)).json() == {"sessionId": "s", "messages": [], "truncated": False}


async def test_it_has_the_id_of_its_address():
    reply = await put(make_client(), {"sessionId": "another", "messages": []})
    assert (reply.status, reply.json()) == (200, {"sessionId": "s", "messages": [], "truncated": False})


def test_a_message_without_time_and_id_gets_them():
    [message] = run(put(make_client(), {"messages": [{"role": "user", "content": "x"}]})).json()["messages"]
    assert message["timestamp"] == START
    assert message["id"]


async def test_the_answer_is_what_is_kept():
    client = client_that_keeps(3)
    call = {"role": "assistant", "content": "", "id": "call", "toolCalls": [{"id": "t", "name": "", "args": None}]}
    result = {"role": "tool", "content": 1, "id": "result", "toolCallId": "t"}
    said = [{"role": "user", "content": "x", "id": name} for name in "ab"]
    reply = await put(client, {"messages": [call, result, *said]})
    assert [message["id"] for message in reply.json()["messages"]] == ["a", "b"]
    assert reply.body == await exported(client, "json")


async def test_the_answer_does_not_wait_for_the_store_to_show_what_was_written():
    clock = VirtualClock()
    kv = FaultyKv(MemoryKv(clock), lambda operation, key: operation in ("get", "get_many"))
    reply = await put(make_client(kv=kv), {"messages": [{"role": "user", "content": "x"}]})
    assert reply.status == 200


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (b"", 0),
        (b"\n\r\n \n", 0),
        (b'{"role":"user","content":"no line end"}', 1),
        (b'{"role":"user",\r"content":1}', 1),
        (b'\n{"role":"user","content":1}\r\n\n{"role":"user","content":2}\r\n', 2),
        ('{"role":"user","content":"\u2028\u2029\u0085"}\n'.encode(), 1),
        (b'{"role":"user","content":1}\n' * MAX_IMPORTED_MESSAGES, 10),
    ],
)
async def test_lines_end_with_a_line_feed_and_empty_ones_say_nothing(lines: bytes, count: int):
    reply = await make_client().call("PUT", PATH, body=lines, headers=NDJSON)
    assert (reply.status, len(reply.json()["messages"])) == (200, count)


@pytest.mark.parametrize(
    ("lines", "status", "code", "says"),
    [
        (b'{"role":"user","content":1}\n{"role":"user"}\n', 400, "invalid_body", "Line 2: "),
        (b'\n\n{"role":"user","content":1,"x":1}', 400, "unknown_field", "Line 3: "),
        (b"{", 400, "invalid_json", "Line 1: "),
        (b'{"role":"user","content":"\xff"}', 400, "invalid_encoding", "Line 1: "),
        (b'{"role":"user","content":' + b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH + b"}", 400, "invalid_json", "1"),
        (b"\n" * (MAX_IMPORTED_MESSAGES + 1), 400, "invalid_body", f"{MAX_IMPORTED_MESSAGES} lines"),
        (b" " * (MAX_IMPORT_BYTES + 1), 413, "body_too_large", f"{MAX_IMPORT_BYTES}"),
        (b'{"role":"user","content":1,"id":"a"}\n' * 2, 400, "invalid_body", "same id"),
    ],
)
async def test_lines_that_are_none_are_refused_and_named(lines: bytes, status: int, code: str, says: str):
    reply = await make_client().call("PUT", PATH, body=lines, headers=NDJSON)
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert says in reply.json()["detail"]


async def test_a_body_may_be_larger_than_others_and_is_kept_up_to_the_bytes_that_are_kept():
    text = "x" * (MAX_BODY_BYTES - 100)
    body = {"messages": [{"role": "user", "content": text, "id": f"{number}"} for number in range(7)]}
    reply = await put(make_client(), body)
    assert (reply.status, len(reply.json()["messages"]), reply.json()["truncated"]) == (200, 4, True)
    large = make_client(Settings(signing_keys=(KEY,), history_bytes=2 * 1024 * 1024))
    reply = await put(large, body)
    assert (reply.status, len(reply.json()["messages"]), reply.json()["truncated"]) == (200, 7, False)


async def test_that_older_messages_are_missing_is_brought_back_and_lasts_until_the_next_import():
    client = make_client()
    assert (await put(client, {"messages": [USER], "truncated": True})).json()["truncated"] is True
    once = (await client.call("GET", PATH)).body
    assert (await client.call("PUT", "/api/conversations/other", body=once)).json()["truncated"] is True
    assert (await client.call("GET", "/api/conversations/other")).json()["truncated"] is True
    assert (await put(client, {"messages": [USER]})).json()["truncated"] is False
    assert (await client.call("GET", PATH)).json()["truncated"] is False


async def test_an_import_that_is_longer_than_what_is_kept_says_so_now_and_later():
    client = client_that_keeps(2)
    assert (await put(client, {"messages": [USER] * 3})).json()["truncated"] is True
    assert (await client.call("GET", PATH)).json()["truncated"] is True


async def test_the_reply_says_how_times_without_an_offset_were_read():
    times = ["2026-01-01T00:00:00", "2026-01-01T00:00:00Z", 1767225600, 1767225600.5, 1767225600000]
    body = {"messages": [USER | {"timestamp": time} for time in times] + [USER | {"createdAt": 1767225600}]}
    reply = (await put(make_client(), body)).json()
    assert reply["readAs"] == {"utc": 1, "unixSeconds": 3, "unixMilliseconds": 1}
    halves = {"2026-01-01T00:00:00.000Z": 5, "2026-01-01T00:00:00.500Z": 1}
    assert {time: [one["timestamp"] for one in reply["messages"]].count(time) for time in halves} == halves
    again = await put(make_client(), reply)
    assert (again.status, "readAs" in again.json()) == (200, False)


async def test_null_beside_tool_calls_is_an_empty_text():
    called = {"role": "assistant", "content": None, "toolCalls": [{"id": "t", "name": "n"}]}
    reply = (await put(make_client(), {"messages": [called]})).json()
    assert reply["messages"][0]["content"] == ""


USER = {"role": "user", "content": "x"}
REFUSED: dict[str, tuple[Any, int, str]] = {
    "nothing": ({}, 400, "invalid_body"),
    "an unknown field": ({"messages": [], "count": 0}, 400, "unknown_field"),
    "an unknown field of a message": ({"messages": [USER | {"place": "p"}]}, 400, "unknown_field"),
    "an unknown field of the origin": ({"messages": [], "forkedFrom": {"threadId": "t", "x": 1}}, 400, "unknown_field"),
    "an origin without a thread": ({"messages": [], "forkedFrom": {}}, 400, "invalid_body"),
    "an origin that is no thread": ({"messages": [], "forkedFrom": {"threadId": "a\n"}}, 400, "invalid_id"),
    "a long origin": ({"messages": [], "forkedFrom": {"threadId": "x" * (MAX_APP_ID_LENGTH + 1)}}, 400, "invalid_id"),
    "an origin of no message": ({"messages": [], "forkedFrom": {"threadId": "t", "messageId": ""}}, 400, "invalid_id"),
    "too many messages": ({"messages": [USER] * (MAX_IMPORTED_MESSAGES + 1)}, 400, "invalid_body"),
    "two times": ({"messages": [USER | {"timestamp": 1, "createdAt": 1}]}, 400, "invalid_body"),
    "a time that is no number": ({"messages": [USER | {"timestamp": [1]}]}, 400, "invalid_body"),
    "a time that is none": ({"messages": [USER | {"timestamp": "now"}]}, 400, "invalid_body"),
    "null as content": ({"messages": [USER | {"content": None}]}, 400, "invalid_body"),
    "a user who calls": ({"messages": [USER | {"toolCalls": [{"id": "t"}]}]}, 400, "invalid_body"),
    "an id twice": ({"messages": [USER | {"id": "a"}] * 2}, 400, "invalid_body"),
    "a bad id": ({"messages": [USER | {"id": "\x00"}]}, 400, "invalid_id"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_replaces_nothing(name: str):
    client = make_client()
    await client.call("POST", f"{PATH}/messages", {"messages": [USER | {"id": "before"}]})
    body, status, code = REFUSED[name]
    reply = await put(client, body)
    assert (reply.status, reply.json()["code"]) == (status, code)
    [message] = (await client.call("GET", PATH)).json()["messages"]
    assert message["id"] == "before"


async def test_another_media_type_is_refused():
    reply = await make_client().call("PUT", PATH, body=b"x", headers={"Content-Type": "text/markdown"})
    assert (reply.status, reply.json()["code"]) == (415, "unsupported_media_type")


def test_an_import_that_the_store_refused_is_not_said_to_be_kept():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda operation, key: operation == "put")
    assert run(put(make_client(kv=kv), {"messages": [USER]})).status == 503


async def test_imports_are_compacted_too():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv)
    for _ in range(20):
        await put(client, {"messages": [USER]})
    await client.settle()
    assert ("put", "conv:s") in kv.asked


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ({"parts": [{"type": "text", "text": "Hi"}]}, "`content`"),
        ({"metadata": {"a": 1}}, "threads have"),
        ({"other": 1}, ""),
    ],
)
@pytest.mark.parametrize("way", ["import", "lines", "append"])
async def test_a_field_of_other_programs_messages_is_refused_with_what_to_send_instead(field: Any, hint: str, way: str):
    client = make_client()
    message = {"role": "user", "content": "Hi", **field}
    if way == "append":
        refused = await client.call("POST", f"{PATH}/messages", {"messages": [message]})
    elif way == "import":
        refused = await client.call("PUT", PATH, {"messages": [message]})
    else:
        refused = await client.call("PUT", PATH, body=json.dumps(message).encode(), headers=NDJSON)
    assert (refused.status, refused.json()["code"]) == (400, "unknown_field")
    detail = refused.json()["detail"]
    assert f"`{next(iter(field))}`" in detail
    assert hint in detail
    assert bool(hint) is (". " in detail)
