"""Responses that are streams: their headers for caches and proxies, and their count while they are open."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.support.builders import SetClock
from waypost_worker.http.body_budget import BodyBudget
from waypost_worker.http.loads import Loads
from waypost_worker.http.messages import Response
from waypost_worker.http.open_streams import OpenStreams, Place
from waypost_worker.http.streams import PIECE_BYTES, OpenStream, in_pieces, stream_response


class Counter:
    open_streams = 0


class Chunks:
    """Two chunks, and whether they were closed."""

    is_closed = False

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            yield b"two"
        finally:
            self.is_closed = True


def place() -> Place:
    return OpenStreams(SetClock()).open("CODE", "192.0.2.1")


def body_of(response: Response) -> AsyncGenerator[bytes, None]:
    assert isinstance(response.body, AsyncGenerator)
    return response.body


def test_no_cache_and_no_proxy_keeps_a_stream_back():
    response = stream_response(Chunks()(), Counter(), place())
    assert (response.status, response.headers) == (
        200,
        {
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store, no-transform",
            "X-Accel-Buffering": "no",
        },
    )


def test_a_stream_may_have_another_type_and_more_headers():
    response = stream_response(Chunks()(), Counter(), place(), "application/x-ndjson", {"X-More": "1"})
    assert (response.headers["Content-Type"], response.headers["X-More"]) == ("application/x-ndjson", "1")


async def test_a_stream_counts_from_its_first_byte_to_its_last():
    counter = Counter()
    body = body_of(stream_response(Chunks()(), counter, place()))
    assert counter.open_streams == 0
    assert await anext(body) == b"one"
    assert counter.open_streams == 1
    assert [chunk async for chunk in body] == [b"two"]
    assert counter.open_streams == 0


async def test_a_stream_that_is_closed_closes_what_it_came_from_and_counts_no_more():
    counter, chunks = Counter(), Chunks()
    body = body_of(stream_response(chunks(), counter, place()))
    await anext(body)
    await body.aclose()
    assert (counter.open_streams, chunks.is_closed) == (0, True)


class BreakingChunks(Chunks):
    async def __call__(self) -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise ZeroDivisionError


def observed(chunks: Chunks) -> tuple[AsyncGenerator[bytes, None], list[str]]:
    """A stream, and how it has ended."""
    ends: list[str] = []
    body = body_of(stream_response(chunks(), Counter(), place()))
    assert isinstance(body, OpenStream)
    body.when_ended(ends.append)
    return body, ends


async def test_a_stream_that_is_over_tells_so_once():
    body, ends = observed(Chunks())
    assert [chunk async for chunk in body] == [b"one", b"two"]
    await body.aclose()
    assert ends == ["ended"]


async def test_a_stream_that_its_client_leaves_tells_so():
    body, ends = observed(Chunks())
    await anext(body)
    await body.aclose()
    assert ends == ["left"]


async def test_a_stream_that_its_client_leaves_before_the_first_byte_tells_so_too():
    body, ends = observed(Chunks())
    await body.aclose()
    assert ends == ["left"]


async def test_a_stream_that_is_cancelled_was_left():
    body, ends = observed(Chunks())
    await anext(body)
    with pytest.raises(asyncio.CancelledError):
        await body.athrow(asyncio.CancelledError())
    assert ends == ["left"]


async def test_a_stream_that_breaks_tells_so():
    body, ends = observed(BreakingChunks())
    await anext(body)
    with pytest.raises(ZeroDivisionError):
        await anext(body)
    assert ends == ["broke"]


async def taken_loads() -> tuple[BodyBudget, Loads]:
    budget = BodyBudget(SetClock(), 10**7, 10**7)
    loads = Loads(budget, None, SetClock())
    await loads.take(10**6)
    return budget, loads


async def test_a_large_body_is_sent_in_pieces_and_held_until_the_last():
    budget, loads = await taken_loads()
    body = bytes(range(256)) * 4000
    pieces = in_pieces(body, loads)
    first = await anext(pieces)
    assert (len(first), budget.bytes) == (PIECE_BYTES, 10**6)
    assert first + b"".join([piece async for piece in pieces]) == body
    assert budget.bytes == 0


async def test_a_large_body_is_let_go_when_its_client_leaves():
    budget, loads = await taken_loads()
    await in_pieces(b"body", loads).aclose()
    assert budget.bytes == 0


async def test_what_a_stream_has_read_is_let_go_when_it_ends():
    for reads in (False, True):
        budget, loads = await taken_loads()
        place = OpenStreams(SetClock()).open("CODE", "192.0.2.1", loads=loads)
        body = body_of(stream_response(Chunks()(), Counter(), place))
        if reads:
            await anext(body)
        await body.aclose()
        assert budget.bytes == 0


async def test_what_a_wait_has_read_is_held_until_it_is_sent():
    budget, loads = await taken_loads()
    with OpenStreams(SetClock()).open("CODE", "192.0.2.1", loads=loads):
        pass
    assert budget.bytes == 10**6
