"""A body is read within its limit and for as long as it keeps coming; whatever happens, nothing goes on afterwards."""

import pytest

from simulation.client import LowerHeaders, make_client, no_background
from simulation.virtual_time import VirtualClock, run
from tests.support.bodies import LoopAlarm, Script, ScriptedBody
from waypost_worker.errors import BodyTimeout
from waypost_worker.http.body import discard_body, read_body
from waypost_worker.http.body_budget import BodyBudget, BodyShare
from waypost_worker.http.messages import Request
from waypost_worker.limits import (
    MAX_BODY_SECONDS,
    MAX_BODY_SILENCE_SECONDS,
    MAX_DECODED_BODY_BYTES,
    MAX_LARGE_BODY_SECONDS,
    MAX_USUAL_BODY_BYTES,
)

LIMIT = 1000


def share() -> BodyShare:
    return BodyBudget(VirtualClock()).share("192.0.2.1")


async def read(
    *script: tuple[float, bytes | None], limit: int = LIMIT, declared: int | None = None
) -> tuple[bytes | None, ScriptedBody, LoopAlarm]:
    body, alarm = ScriptedBody(list(script)), LoopAlarm()
    try:
        return await read_body(body, limit, VirtualClock(), alarm, share(), declared), body, alarm
    finally:
        assert alarm.ringing == 0


async def refused_after(*script: tuple[float, bytes | None]) -> float:
    """The second in which such a body is given up."""
    body, alarm, clock = ScriptedBody(list(script)), LoopAlarm(), VirtualClock()
    began_ms = clock.now_ms()
    with pytest.raises(BodyTimeout):
        await read_body(body, LIMIT, clock, alarm, share())
    assert body.is_given_up
    assert alarm.ringing == 0
    return (clock.now_ms() - began_ms) / 1000


def test_a_body_is_its_pieces_in_order():
    assert run(read((0, b"a"), (1, b""), (2, b"bc"), (0, None)))[0] == b"abc"


def test_a_body_may_be_empty():
    assert run(read((0, None)))[0] == b""


@pytest.mark.parametrize(("size", "taken"), [(LIMIT, True), (LIMIT + 1, False)])
async def test_a_body_over_its_limit_is_not_read_beyond_the_piece_that_goes_over(size: int, taken: bool):
    found, body, _ = await read((0, b"x" * (LIMIT - 1)), (0, b"x" * (size - LIMIT + 1)), (0, None))
    assert (found is not None, body.is_given_up, body.is_read) == (taken, False, 3 if taken else 2)


async def discarded_after(*script: tuple[float, bytes | None]) -> tuple[float, bool]:
    """The second in which discarding such a body ends, and whether it was given up."""
    body, alarm, clock = ScriptedBody(list(script)), LoopAlarm(), VirtualClock()
    began_ms = clock.now_ms()
    await discard_body(body, clock, alarm)
    assert alarm.ringing == 0
    return (clock.now_ms() - began_ms) / 1000, body.is_given_up


async def test_the_rest_of_a_refused_body_is_read_to_its_end():
    assert await discarded_after(*[(0.9, b"x" * LIMIT)] * 10, (0.5, None)) == (pytest.approx(9.5), False)


async def test_a_refused_body_that_pauses_for_a_second_is_given_up():
    assert await discarded_after((0.9, b"x"), (1.1, b"x"), (0, None)) == (pytest.approx(1.9), True)


async def test_a_refused_body_that_drips_is_given_up_after_a_minute():
    assert await discarded_after(*[(0.9, b"x")] * 100, (0, None)) == (MAX_BODY_SECONDS, True)


def test_a_body_that_pauses_for_ten_seconds_is_given_up():
    almost = MAX_BODY_SILENCE_SECONDS - 0.001
    assert run(read((almost, b"a"), (almost, b"b"), (almost, None)))[0] == b"ab"
    assert run(refused_after((almost, b"a"), (MAX_BODY_SILENCE_SECONDS + 0.001, b"b"))) == pytest.approx(almost + 10)


async def test_a_body_that_never_comes_is_given_up_after_ten_seconds():
    assert await refused_after() == MAX_BODY_SILENCE_SECONDS


def test_a_body_that_may_be_large_has_three_minutes():
    drops: Script = [(9.5, b"x")] * 18
    large = MAX_USUAL_BODY_BYTES + 1
    assert run(read(*drops, (8.9, None), limit=large))[0] == b"x" * 18
    with pytest.raises(BodyTimeout, match=f"within {MAX_LARGE_BODY_SECONDS} s"):
        run(read(*drops, (9.1, None), limit=large))


@pytest.mark.parametrize("declared", [None, 60])
@pytest.mark.parametrize(("limit", "taken"), [(MAX_DECODED_BODY_BYTES, 780), (MAX_DECODED_BODY_BYTES + 1, 36)])
async def test_a_body_that_may_be_large_is_not_decoded_and_counts_less(limit: int, taken: int, declared: int | None):
    budget = BodyBudget(VirtualClock())
    body = ScriptedBody([(0, b"[" * 60), (0, None)])
    await read_body(body, limit, VirtualClock(), LoopAlarm(), budget.share("192.0.2.1"), declared)
    assert budget.bytes == taken


def test_a_body_that_drips_is_given_up_after_a_minute():
    drops: Script = [(6, b"x")] * 9
    assert run(read(*drops, (5.999, None)))[0] == b"x" * 9
    assert run(refused_after(*drops, (6.001, None))) == MAX_BODY_SECONDS


async def test_alarms_do_not_grow_with_the_number_of_pieces():
    _, _, alarm = await read(*[(0.03, b"x")] * LIMIT, (0, None))
    assert alarm.set_in_all <= 4


async def test_a_body_that_breaks_off_leaves_no_alarm_behind():
    with pytest.raises(ConnectionError):
        await read((1, b"a"), (1, b"broken"))


async def test_a_body_that_comes_too_slowly_is_refused_with_that_reason():
    async def read(limit: int) -> bytes | None:
        return await read_body(ScriptedBody([(1, b"{")]), limit, VirtualClock(), LoopAlarm(), share())

    headers = LowerHeaders({"Content-Type": "application/json"})
    client = make_client()
    response = await client.app.handle(Request("POST", "/api/sessions", "", headers, read, no_background))
    assert (response.status, b'"body_timeout"' in response.body) == (408, True)
    assert client.log == []


@pytest.mark.parametrize(
    ("pieces", "reads"),
    [([b"abcdef"], 1), ([b"abc", b"def"], 2), ([b"a", b"b", b"c", b"d", b"e", b"f"], 6)],
)
async def test_the_end_of_a_body_of_declared_length_is_not_waited_for(pieces: list[bytes], reads: int):
    # The script sends no end: another read would wait for ever.
    content, body, _ = await read(*((0.1, piece) for piece in pieces), declared=6)
    assert (content, body.is_read, body.is_given_up) == (b"abcdef", reads, False)


async def test_a_body_that_ends_before_its_declared_length_is_what_came():
    content, _, _ = await read((0.1, b"abc"), (0.1, None), declared=6)
    assert content == b"abc"


async def test_a_declared_length_does_not_lift_the_limit():
    content, body, _ = await read((0.1, b"x" * (LIMIT + 1)), declared=LIMIT + 1)
    assert (content, body.is_read) == (None, 1)


async def test_a_body_that_does_not_come_to_its_declared_length_is_given_up():
    with pytest.raises(BodyTimeout):
        await read((0.1, b"abc"), declared=6)
