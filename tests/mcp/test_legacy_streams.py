"""The streams of 2025-11-25: long calls, resumable in any isolate, and changes of the tools."""

import asyncio
import json
from typing import Any

import pytest

from simulation.client import Client, make_client
from tests.support.mcp_client import Mcp, connected, put_tools, staying, taken
from waypost_worker.limits import MCP_TOOLS_ECHO_SECONDS
from waypost_worker.polling.plans import FREE, PAID
from waypost_worker.settings import Settings

CALL = {"name": "slow", "_meta": {"progressToken": "p"}}


def elsewhere(mcp: Mcp, seed: int = 9) -> Mcp:
    """The same client, in another isolate."""
    return Mcp(make_client(kv=mcp.client.app._kv, seed=seed), mcp.session, session_id=mcp.session_id)


async def report(mcp: Mcp, id: str, result: object, *, final: bool = False) -> None:
    await mcp.client.answer(mcp.session, id, result, final=final)


async def test_a_long_call_becomes_a_resumable_stream():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "slow"}, id="mine")
    assert asyncio.get_running_loop().time() == pytest.approx(1, abs=0.1)
    request = await taken(mcp)
    await report(mcp, request["id"], "there", final=True)
    [reply] = await stream.until_over()
    assert (reply["id"], reply["result"]["content"][0]["text"]) == ("mine", "there")
    first = stream.events[0]
    assert (first.data, bool(first.id), stream.retry_ms) == (None, True, 1000)


async def test_an_older_client_is_sent_no_empty_event():
    mcp = await connected(version="2025-06-18")
    stream = await mcp.stream("tools/call", {"name": "slow"})
    request = await taken(mcp)
    await report(mcp, request["id"], 1, final=True)
    await stream.until_over()
    assert [event.data["id"] for event in stream.events] == [1]
    assert stream.comments == ["waypost"]


async def test_a_legacy_client_that_accepts_only_streams_gets_one():
    mcp = await connected()
    message = mcp.request("tools/call", {"name": "slow"})
    asking = asyncio.ensure_future(mcp.send(message, {"Accept": "text/event-stream"}))
    request = await taken(mcp)
    await report(mcp, request["id"], "there", final=True)
    assert b'"text":"there"' in (await asking).body


async def test_progress_opens_the_stream_and_comes_before_the_reply():
    mcp = await connected()
    opening = asyncio.ensure_future(mcp.stream("tools/call", CALL))
    request = await taken(mcp)
    await report(mcp, request["id"], {"progress": 10, "total": 20, "message": "half"})
    stream = await opening
    assert asyncio.get_running_loop().time() < 0.5
    await report(mcp, request["id"], "more")
    await report(mcp, request["id"], "done", final=True)
    first, second, reply = await stream.until_over()
    assert first["method"] == "notifications/progress"
    assert first["params"] == {"progressToken": "p", "progress": 10, "total": 20, "message": "half"}
    assert second["params"] == {"progressToken": "p", "progress": 11, "message": "more"}
    assert reply["id"] == 1


async def test_progress_without_a_token_is_not_sent_to_a_legacy_client():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "slow"})
    request = await taken(mcp)
    await report(mcp, request["id"], "half")
    await report(mcp, request["id"], "whole", final=True)
    assert [message.get("method") for message in await stream.until_over()] == [None]


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_a_broken_stream_is_resumed_where_it_was(is_elsewhere: bool):
    mcp = await connected()
    opening = asyncio.ensure_future(mcp.stream("tools/call", CALL, id=3))
    request = await taken(mcp)
    await report(mcp, request["id"], "one")
    stream = await opening
    await asyncio.sleep(1)
    await stream.stop()
    await report(mcp, request["id"], "two")
    again = await (elsewhere(mcp) if is_elsewhere else mcp).get(stream.events[-1].id)
    await asyncio.sleep(2)
    await report(mcp, request["id"], "three")
    await report(mcp, request["id"], "there", final=True)
    *progress, reply = await again.until_over()
    # Events that the client has had are not sent again, and the numbers go on.
    assert [(item["params"]["progress"], item["params"]["message"]) for item in progress] == [
        (2, "two"),
        (3, "three"),
    ]
    assert (reply["id"], reply["result"]["content"][0]["text"]) == (3, "there")
    over = await mcp.get(again.events[-1].id)
    assert [message.get("id") for message in await over.until_over()] == [3]


async def test_a_stream_that_broke_early_is_resumed_from_its_first_event():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "slow"}, id=3)
    await asyncio.sleep(0.1)
    await stream.stop()
    request = await taken(mcp)
    await report(mcp, request["id"], "there", final=True)
    again = await elsewhere(mcp).get(stream.events[0].id)
    [reply] = await again.until_over()
    assert (reply["id"], reply["result"]["content"][0]["text"]) == (3, "there")


async def test_an_event_s_id_is_good_in_its_own_session_only():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "slow"})
    await asyncio.sleep(0.1)
    mine = stream.events[0].id
    stranger, without = Mcp(mcp.client, mcp.session), Mcp(mcp.client, mcp.session)
    await stranger.initialize()
    other_tab = await connected(client=mcp.client)
    for client, id in (
        (stranger, mine),
        (without, mine),
        (other_tab, mine),
        (mcp, mine + "A"),
        (mcp, "A" + mine),
        (mcp, "x"),
        (mcp, mcp.session_id or ""),
    ):
        headers = client.headers({"Last-Event-ID": id})
        reply = await client.client.call("GET", client.url, headers=headers)
        assert (reply.status, reply.json()["error"]["code"]) == (400, -32600)
    await stream.stop()


async def test_a_client_that_disconnects_cancels_nothing():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "slow"})
    await asyncio.sleep(0.1)
    await stream.stop()
    await taken(mcp)


async def test_a_stream_ends_before_the_budget_and_is_resumed():
    client: Client = make_client(Settings(signing_keys=(b"a key for tests, 32 bytes or more",), plan=FREE))
    mcp = await connected(client=client)
    listening = asyncio.ensure_future(staying(mcp))
    stream = await mcp.stream("tools/call", {"name": "slow"}, id=3)
    assert await stream.until_over() == []
    ended = asyncio.get_running_loop().time()
    assert ended <= FREE.stream_seconds + 60
    assert set(stream.comments) == {"heartbeat"}
    request = await taken(mcp)
    await report(mcp, request["id"], "there", final=True)
    again = await mcp.get(stream.events[-1].id)
    assert [message["id"] for message in await again.until_over()] == [3]
    listening.cancel()


async def test_a_tab_that_says_nothing_for_an_hour_is_a_time_out_and_no_error_of_the_tool():
    mcp = await connected()
    listening = asyncio.ensure_future(staying(mcp))
    stream = await mcp.stream("tools/call", {"name": "slow"}, id=3)
    while not (messages := await stream.until_over()):
        stream = await mcp.get(stream.events[-1].id)
    assert messages[-1]["error"]["code"] == -31002
    assert asyncio.get_running_loop().time() == pytest.approx(3600, abs=5)
    listening.cancel()


async def test_changes_of_the_tools_come_on_the_listen_stream():
    mcp = await connected()
    stream = await mcp.get()
    await asyncio.sleep(1)
    assert stream.messages == []
    await put_tools(mcp, {"name": "new"})
    await asyncio.sleep(1)
    assert stream.messages == [{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}]
    await asyncio.sleep(100)
    # Once more, when every location shows them.
    assert len(stream.messages) == 2
    assert "heartbeat" in stream.comments
    await stream.stop()


async def test_changes_are_notified_again_when_every_location_shows_them():
    mcp = await connected()
    stream = await mcp.get()
    await asyncio.sleep(1)
    await put_tools(mcp, {"name": "new"})
    await asyncio.sleep(MCP_TOOLS_ECHO_SECONDS - 1)
    assert len(stream.messages) == 1
    await asyncio.sleep(1.1)
    assert len(stream.messages) == 2
    await stream.stop()


async def test_changes_from_another_isolate_come_within_a_minute_or_so():
    mcp = await connected()
    stream = await elsewhere(mcp).get()
    await asyncio.sleep(1)
    await put_tools(mcp, {"name": "new"})
    await asyncio.sleep(62)
    assert len(stream.messages) == 1
    await stream.stop()


async def test_a_client_that_was_away_is_notified_when_it_resumes():
    mcp = await connected()
    stream = await mcp.get()
    await asyncio.sleep(1)
    await stream.stop()
    await put_tools(mcp, {"name": "new"})
    again = await mcp.get(stream.events[0].id)
    await asyncio.sleep(1)
    assert [message["method"] for message in again.messages] == ["notifications/tools/list_changed"]
    await again.stop()
    third = await mcp.get(again.events[-1].id)
    await asyncio.sleep(1)
    assert third.messages == []
    await third.stop()


async def test_the_stream_ends_with_the_session():
    mcp = await connected(version="2025-06-18")
    stream = await mcp.get()
    await asyncio.sleep(1)
    await mcp.client.call("DELETE", f"/api/sessions/{mcp.session.code}", token=mcp.session.host)
    assert await stream.until_over(10) == []
    reply = await mcp.client.call("GET", mcp.url, headers=mcp.headers())
    assert (reply.status, reply.json()["error"]["data"]) == (410, {"code": "session_ended"})


async def test_the_listen_stream_ends_before_the_budget_does():
    client: Client = make_client(Settings(signing_keys=(b"a key for tests, 32 bytes or more",), plan=FREE))
    mcp = await connected(client=client)
    listening = asyncio.ensure_future(staying(mcp))
    stream = await mcp.get()
    await stream.until_over(FREE.stream_seconds + 100)
    listening.cancel()


async def test_the_listen_stream_outlives_an_event_stream_since_some_clients_do_not_come_back():
    mcp = await connected()
    listening = asyncio.ensure_future(staying(mcp))
    stream = await mcp.get()
    await asyncio.sleep(PAID.mcp_stream_seconds - 20)
    assert not stream.is_over
    await put_tools(mcp, {"name": "late"})
    await stream.until_over(60)
    assert [message["method"] for message in stream.messages] == ["notifications/tools/list_changed"]
    listening.cancel()


@pytest.mark.parametrize("seconds", [0, 2])
@pytest.mark.parametrize(
    ("version", "shown"),
    [
        (
            "2025-06-18",
            [{"type": "text", "text": "see"}, {"type": "resource_link", "uri": "https://a.example", "name": "a"}],
        ),
        ("2025-03-26", [{"type": "text", "text": "see"}, {"type": "text", "text": "a: https://a.example"}]),
    ],
)
async def test_a_link_is_a_text_for_clients_that_would_reject_the_result(seconds: int, version: str, shown: list[Any]):
    mcp = await connected(version=version)
    asking = asyncio.ensure_future(mcp.send(mcp.request("tools/call", {"name": "slow"})))
    request = await taken(mcp)
    await asyncio.sleep(seconds)
    link = {"type": "resource_link", "uri": "https://a.example", "name": "a"}
    await report(mcp, request["id"], {"content": [{"type": "text", "text": "see"}, link]}, final=True)
    reply = (await asking).body.decode()
    assert json.loads(reply[reply.index("{") : reply.rindex("}") + 1])["result"]["content"] == shown


async def test_a_link_with_a_title_keeps_it_in_the_text():
    mcp = await connected(version="2025-03-26")
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "slow"}))
    request = await taken(mcp)
    link = {"type": "resource_link", "uri": "https://a.example", "name": "a", "title": "An app"}
    await report(mcp, request["id"], {"content": [link]}, final=True)
    assert (await asking)["content"] == [{"type": "text", "text": "An app: https://a.example"}]


async def test_what_the_session_has_agreed_on_counts_more_than_the_header():
    mcp = await connected(version="2025-11-25")
    mcp.version = "2025-03-26"
    stream = await mcp.stream("tools/call", {"name": "slow"})
    await asyncio.sleep(0.1)
    assert stream.events[0].data is None
    await stream.stop()
    reply = await mcp.send([mcp.request("ping")])
    assert reply.status == 400


TEXT = {"type": "text", "text": '{"rows":3}'}


@pytest.mark.parametrize("result", [{"rows": 3}, {"content": [TEXT]}])
async def test_other_results_are_the_same_for_them(result: Any):
    mcp = await connected(version="2025-03-26")
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "slow"}))
    request = await taken(mcp)
    await report(mcp, request["id"], result, final=True)
    assert (await asking)["content"] == [TEXT]
