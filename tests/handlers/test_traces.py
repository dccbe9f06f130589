"""A trace goes with its request: from the guest, through the queue, to the host."""

import asyncio
from typing import Any

import pytest

from simulation.client import Client, Opened, make_client
from tests.support.listener import listen
from tests.support.mcp_client import connected, taken
from tests.support.sinks import ListSinks

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER = f"00-{TRACE[::-1]}-00f067aa0ba902b7-01"
TRACED = {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE"}


async def ask(client: Client, session: Opened, headers: dict[str, str], **body: Any) -> Any:
    fields = {"code": session.code, "tool": "t", **body}
    return await client.call("POST", "/api/request", fields, headers=headers)


async def asked(headers: dict[str, str], **body: Any) -> dict[str, Any]:
    """The event that the host gets of a request with these headers."""
    client = make_client()
    session = await client.open_session()
    await ask(client, session, headers, **body)
    [message] = (await client.poll(session.code, session.host))["messages"]
    return dict(message["data"])


async def test_a_host_gets_the_trace_of_a_request():
    data = await asked(TRACED)
    assert {name: data[name] for name in TRACED} == TRACED


async def test_a_stream_brings_it_too():
    client = make_client()
    session = await client.open_session()
    listener = await listen(client, f"/api/stream?code={session.code}", token=session.host)
    await ask(client, session, TRACED)
    await listener.until_event(2)
    await listener.stop()
    assert listener.data("request")[0].items() >= TRACED.items()


async def test_a_large_request_keeps_its_trace():
    data = await asked({**TRACED, "tracestate": "a=" + "x" * 250 + ",b=" + "y" * 250}, args={"text": "z" * 5000})
    assert (data["traceparent"], len(data["tracestate"])) == (PARENT, 505)


async def test_the_longest_trace_of_the_longest_request_does_not_outgrow_the_key():
    state = ",".join(["a=" + "x" * 126] * 3 + ["b=" + "y" * 123])
    longest = {"tool": "t" * 128, "id": "i" * 64, "producer": "p" * 64, "args": {"text": "z" * 5000}}
    numbers = {"seq": 2**53 - 1, "settled": 2**53 - 2}
    data = await asked({"traceparent": PARENT, "tracestate": state}, **longest, **numbers)
    assert (data["traceparent"], data["tracestate"]) == (PARENT, state)


@pytest.mark.parametrize(
    "headers", [{}, {"tracestate": "congo=1"}, {"traceparent": "00-x", "tracestate": "congo=1"}], ids=repr
)
async def test_without_a_trace_there_is_none(headers: dict[str, str]):
    data = await asked(headers)
    assert not {"traceparent", "tracestate"} & data.keys()


async def test_a_request_that_is_sent_again_under_another_trace_is_the_same_call():
    client = make_client()
    session = await client.open_session()
    first = await ask(client, session, TRACED, id="r")
    again = await ask(client, session, {"traceparent": OTHER}, id="r")
    assert (first.status, again.status) == (202, 202)
    events = [message["data"] for message in (await client.poll(session.code, session.host))["messages"]]
    assert [event["traceparent"] for event in events] == [PARENT]


async def test_a_reply_names_the_operation_in_the_trace():
    client = make_client()
    ray = "8f1c2d3e4b5a6978-FRA"
    reply = await client.call("GET", "/health", headers={"traceparent": PARENT, "CF-Ray": ray})
    assert f'trace;desc="00-{TRACE}-8f1c2d3e4b5a6978-01"' in reply.headers["Server-Timing"]
    assert "trace" not in (await client.call("GET", "/health")).headers["Server-Timing"]


async def test_the_lines_of_a_call_and_its_answer_have_the_same_trace():
    sinks = ListSinks()
    client = make_client(sinks=sinks)
    session = await client.open_session()
    queued = (await ask(client, session, TRACED)).json()
    answer = {"code": session.code, "id": queued["id"], "result": 1}
    await client.call("POST", "/api/response", answer, token=session.host, headers=TRACED)
    # Its line comes when what it does in the background is done: the removal of the request.
    await asyncio.sleep(2)
    of_trace = [line["message"] for line in sinks.lines if line.get("traceId") == TRACE]
    assert of_trace == ["POST /api/request 202", "POST /api/response 202"]


@pytest.mark.parametrize("is_modern", [True, False])
@pytest.mark.parametrize(
    ("meta", "header", "found"),
    [
        (TRACED, {}, TRACED),
        (TRACED, {"traceparent": OTHER}, TRACED),
        ({}, {"traceparent": OTHER}, {"traceparent": OTHER}),
        ({"traceparent": "x"}, {"traceparent": OTHER}, {"traceparent": OTHER}),
        ({"traceparent": [1], "tracestate": 7}, {}, {}),
    ],
)
async def test_mcp_passes_on_the_trace_of_meta_or_of_the_header(
    is_modern: bool, meta: dict[str, Any], header: dict[str, str], found: dict[str, str]
):
    sinks = ListSinks()
    mcp = await connected(is_modern=is_modern, client=make_client(sinks=sinks))
    message = mcp.request("tools/call", {"name": "t", "_meta": meta})
    asking = asyncio.ensure_future(mcp.send(message, mcp.mirrored(message) | header))
    data = await taken(mcp)
    assert {name: data[name] for name in TRACED if name in data} == found
    await mcp.client.answer(mcp.session, data["id"], 1)
    assert (await asking).status == 200
    trace_id = sinks.lines[-1].get("traceId", "")
    assert trace_id == (found["traceparent"][3:35] if found else "")
