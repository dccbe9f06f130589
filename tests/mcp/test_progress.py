"""Progress keeps the host's numbers, always grows, and goes on while the host is silent."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulation.client import KEY, make_client
from tests.support.mcp_client import Mcp, Stream, connected, staying, taken
from waypost_worker.mcp.progress import ProgressCounter
from waypost_worker.polling.plans import FREE
from waypost_worker.settings import Settings

CALL = {"name": "slow", "_meta": {"progressToken": "p"}}
WAITING = {"progress": 0, "message": "Waiting for approval."}


@pytest.mark.parametrize(
    ("reports", "shown"),
    [
        ([{"progress": 5, "total": 10, "message": "m"}], [{"progress": 5, "total": 10, "message": "m"}]),
        (["a", "b"], [{"progress": 1, "message": "a"}, {"progress": 2, "message": "b"}]),
        ([{"progress": 0}, {"progress": 0.5}], [{"progress": 0}, {"progress": 0.5}]),
        ([{"progress": 1.5}, "a"], [{"progress": 1.5}, {"progress": 2, "message": "a"}]),
        ([{"step": 1}], [{"progress": 1, "message": '{"step":1}'}]),
        ([{"message": "m", "total": 3}], [{"progress": 1, "message": "m"}]),
        ([{"progress": True, "message": 3}], [{"progress": 1}]),
        ([{"progress": 1, "total": "x", "message": None}], [{"progress": 1}]),
        ([[1]], [{"progress": 1, "message": "[1]"}]),
    ],
)
def test_progress_is_taken_at_its_word_or_counted(reports: list[Any], shown: list[dict[str, Any]]):
    count = ProgressCounter()
    assert [count.next("t", report) for report in reports] == [{"progressToken": "t", **item} for item in shown]


NUMBERS = st.floats(-1e9, 1e9) | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
REPORTS = st.one_of(st.none(), st.text(), st.builds(lambda number: {"progress": number}, NUMBERS))


@settings(max_examples=300)
@given(st.lists(REPORTS))
@example([{"progress": 2**52}, None, None, "x", None])
@example([{"progress": -(2**52)}, None, None])
@example([{"progress": 10**400}, {"progress": 1.7e308}, None])
@example([None, {"progress": 0}, {"progress": -1}, None])
def test_progress_always_grows_also_between_signs_of_life(reports: list[Any]):
    count = ProgressCounter()
    numbers = [(count.still(1) if report is None else count.next(1, report))["progress"] for report in reports]
    assert all(before < after for before, after in pairwise(numbers))


def test_a_sign_of_life_repeats_what_was_said_last_and_hardly_moves_the_number():
    count = ProgressCounter()
    assert count.still("p") == {"progressToken": "p", "progress": 0, "message": "Running."}
    assert [count.still("p")["progress"] for _ in range(7)] == [1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6, 7e-6]
    count.next("p", WAITING)
    assert count.still("p")["message"] == "Waiting for approval."
    count.next("p", {"progress": 50, "total": 100, "message": "half"})
    still = count.still("p")
    assert still == {"progressToken": "p", "progress": 50.00005, "total": 100, "message": "half"}
    # An hour of it is still below what the host reports next.
    for _ in range(719):
        still = count.still("p")
    assert 50 < still["progress"] < 50.1
    assert count.next("p", {"progress": 51})["progress"] == 51
    assert count.still("p")["message"] == "Running."


def test_a_fraction_is_not_overtaken_either():
    count = ProgressCounter()
    for _ in range(720):
        count.still("p")
    assert count.next("p", {"progress": 0.01, "total": 1})["progress"] == 0.01


def test_the_count_of_another_stream_is_gone_on_with():
    count = ProgressCounter()
    count.reach(None)
    assert count.last is None
    count.reach(7)
    count.reach(3)
    assert count.still("p")["progress"] == 7.000007
    assert count.next("p", "more")["progress"] == 8


async def report(mcp: Mcp, id: str, result: object, *, final: bool = False) -> None:
    await mcp.client.answer(mcp.session, id, result, final=final)


async def calling(mcp: Mcp, params: dict[str, Any] = CALL) -> tuple[Stream, str, asyncio.Future[None]]:
    """A call whose tab has taken it and stays; its stream, the request's id, and what keeps the tab there."""
    opening = asyncio.ensure_future(mcp.stream("tools/call", params, id=3))
    request = await taken(mcp)
    return await opening, request["id"], asyncio.ensure_future(staying(mcp))


def progress_of(*streams: Stream) -> list[dict[str, Any]]:
    messages = [message for stream in streams for message in stream.messages]
    return [message["params"] for message in messages if message.get("method") == "notifications/progress"]


def grows(params: list[dict[str, Any]]) -> bool:
    return all(before["progress"] < after["progress"] for before, after in pairwise(params))


generations = pytest.mark.parametrize("is_modern", [False, True])


@generations
async def test_a_client_that_gives_up_after_ten_seconds_of_silence_never_has_them(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    began = asyncio.get_running_loop().time()
    stream, id, tab = await calling(mcp)
    await asyncio.sleep(120)
    await report(mcp, id, "done", final=True)
    await stream.until_over()
    times = [began, *(event.at for event in stream.events if event.data is not None)]
    assert max(after - before for before, after in pairwise(times)) < 7
    assert {item["message"] for item in progress_of(stream)} == {"Running."}
    assert {item["progressToken"] for item in progress_of(stream)} == {"p"}
    assert grows(progress_of(stream))
    tab.cancel()


@generations
async def test_a_call_that_waits_for_a_person_says_so_until_the_tab_says_something_else(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    stream, id, tab = await calling(mcp)
    await report(mcp, id, WAITING)
    await asyncio.sleep(31)
    await report(mcp, id, {"progress": 0, "message": "Running."})
    await asyncio.sleep(16)
    await report(mcp, id, {"progress": 10, "total": 20, "message": "half"})
    await asyncio.sleep(16)
    await report(mcp, id, "done", final=True)
    await stream.until_over()
    shown = progress_of(stream)
    messages = [item["message"] for item in shown]
    said = [messages[0], *(after for before, after in pairwise(messages) if before != after)]
    assert said == ["Waiting for approval.", "Running.", "half"]
    assert all(messages.count(message) >= 3 for message in said)
    assert grows(shown)
    assert [item["total"] for item in shown if "total" in item] == [20] * messages.count("half")
    assert any(item["progress"] == 10 for item in shown)
    tab.cancel()


@generations
async def test_without_a_token_there_is_no_sign_of_life_but_the_heartbeat(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    stream, id, tab = await calling(mcp, {"name": "slow"})
    await asyncio.sleep(40)
    await report(mcp, id, "done", final=True)
    await stream.until_over()
    assert progress_of(stream) == []
    assert "heartbeat" in stream.comments
    tab.cancel()


@generations
async def test_the_free_plan_gives_a_sign_of_life_every_fifteen_seconds(is_modern: bool):
    client = make_client(Settings(signing_keys=(KEY,), plan=FREE))
    mcp = await connected(is_modern=is_modern, client=client)
    stream, id, tab = await calling(mcp)
    await asyncio.sleep(46)
    assert len(progress_of(stream)) == 3
    await report(mcp, id, "done", final=True)
    tab.cancel()
    await stream.until_over()


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2025-03-26"])
@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_a_resumed_stream_goes_on_where_the_signs_of_life_were(version: str, is_elsewhere: bool):
    mcp = await connected(version=version)
    stream, id, tab = await calling(mcp)
    await asyncio.sleep(11)
    await report(mcp, id, {"progress": 5, "message": "five"})
    await asyncio.sleep(21)
    await stream.stop()
    # It repeats a number: both streams have to find the next one.
    await report(mcp, id, {"progress": 5, "message": "five again"})
    other = Mcp(make_client(kv=mcp.client.app._kv, seed=9), mcp.session, session_id=mcp.session_id, version=version)
    again = await (other if is_elsewhere else mcp).get(stream.events[-1].id)
    await asyncio.sleep(21)
    await report(mcp, id, "a word")
    await asyncio.sleep(6)
    await again.stop()
    third = await mcp.get(again.events[-1].id)
    await asyncio.sleep(11)
    await report(mcp, id, "done", final=True)
    await third.until_over()
    shown = progress_of(stream, again, third)
    assert grows(shown), shown
    messages = [item["message"] for item in shown]
    assert [messages[0], *(after for before, after in pairwise(messages) if before != after)] == [
        "Running.",
        "five",
        "five again",
        "a word",
    ]
    assert messages.count("five again") >= 4
    assert third.messages[-1]["id"] == 3
    tab.cancel()


async def test_an_event_s_id_that_an_older_version_gave_is_still_a_position():
    from waypost_worker.base64url import encode_base64url
    from waypost_worker.mcp.signed_ids import CallPosition, IdSigner

    signer = IdSigner((KEY,), "K7Q2M9XA")
    text = encode_base64url(b'["c","request","cursor",3,"p"]')
    event_id = f"{text}.{signer._sign(KEY, 'event.s', text)}"
    assert signer.position_of("s", event_id) == CallPosition("request", "cursor", 3, "p")
