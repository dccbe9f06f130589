"""A model that is asked while the question is being written: when it is not, and what is left of it if that fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from simulation.client import make_client
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, THREAD, Chats, text_of
from tests.support.images import image_part
from tests.support.limiters import Budget
from tests.support.namespace import never
from tests.support.spent_kv import SpentKv
from waypost_worker.chat.early_pieces import EarlyPieces
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed, PromptTooLong
from waypost_worker.limits import MIN_APART_BYTES
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.security.rate_limits import Limit

LONG = "x" * 65_000
"""A question whose writes cost more than what is paid for when it comes."""


def refuse_until(at: Chats, ms: int, prefix: str = "conv:") -> None:
    """The store refuses writes of keys that begin so until `ms` after the start of the test."""
    until_ms = START_MS + ms
    at.kv.fails = lambda operation, key: key.startswith(prefix) and operation == "put" and at.clock.now_ms() < until_ms


async def test_a_question_whose_writes_are_not_paid_for_never_reaches_the_model():
    at = Chats()
    # What a question with its answer spends first, and no more.
    at.here = make_client(at.settings, at.kv, {Limit.ADDRESS: Budget(6)}, model=at.model)
    problem = await at.refused(LONG)
    assert (problem["status"], problem["code"]) == (503, "budget_spent")
    assert at.model.asked == []


async def test_a_question_that_costs_more_than_what_is_paid_is_written_first():
    at = Chats()
    refuse_until(at, 300)
    asking = asyncio.ensure_future(at.turn(LONG))
    await asyncio.sleep(0.1)
    assert at.model.asked == []
    assert text_of(await asking) == "Hello Ada."


async def test_where_the_days_writes_are_used_up_the_model_is_not_asked():
    at = Chats()
    spent = SpentKv(at.kv, "put")
    at.here = make_client(at.settings, spent, model=at.model)
    assert (await at.refused())["code"] == "daily_limit"
    known = len(at.model.asked)
    assert (await at.refused())["code"] == "daily_limit"
    assert len(at.model.asked) == at.model.ended == known


@pytest.mark.parametrize("limit", [Limit.ANSWER, Limit.APPEND])
async def test_a_caller_over_its_limit_never_reaches_the_model(limit: Limit):
    at = Chats()
    at.here = make_client(at.settings, at.kv, {limit: Budget(0)}, model=at.model)
    assert (await at.refused())["status"] == 429
    assert at.model.asked == []


async def test_a_question_behind_a_running_answer_never_reaches_the_model():
    at = Chats(["One ", 60.0])
    await at.ask()
    for isolate in (at.here, at.elsewhere):
        assert (await at.refused("Two?", isolate))["status"] == 409
    assert len(at.model.asked) == 1
    await at.stop()


async def test_a_model_that_fails_before_the_question_is_written_leaves_nothing():
    at = Chats([ModelFailed("No.")])
    refuse_until(at, 300)
    error = await at.failed()
    assert error["code"] == "model_failed"
    assert at.clock.now_ms() > START_MS + 300
    assert await at.history() == []


async def test_a_client_that_leaves_while_the_question_is_written_finds_its_answer():
    at = Chats(["One ", 5.0, "two."])
    refuse_until(at, 300)
    asking = asyncio.ensure_future(at.open(messageId="m1"))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.sleep(1)
    stream = await at.turn(messageId="m1")
    assert text_of(stream) == "One two."
    assert len(at.model.asked) == 1
    assert await at.history() == ["user: Hi", "assistant: One two."]


async def test_a_client_that_leaves_while_its_question_is_being_refused_leaves_no_trace():
    at = Chats()
    refuse_until(at, 60_000)
    asking = asyncio.ensure_future(at.open(messageId="m1"))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.sleep(60)
    assert len(at.model.asked) == at.model.ended == 1
    assert await at.history() == []
    assert not at.here.background
    assert text_of(await at.turn(messageId="m1")) == "Hello Ada."


async def test_a_question_whose_writing_is_ended_by_the_platform_is_asked_again():
    at = Chats()
    refuse_until(at, 60_000)
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.1)
    at.kv.fails = never
    for task in at.here.background:
        task.cancel()
    assert text_of(await asking) == "Hello Ada."
    assert len(at.model.asked) == at.model.ended == 2


async def test_of_two_that_ask_the_same_while_it_is_being_refused_each_is_told():
    at = Chats()
    refuse_until(at, 20_000)
    problems = await asyncio.gather(at.refused(messageId="m1"), at.refused(messageId="m1"))
    assert [problem["status"] for problem in problems] == [503, 503]
    assert len(at.model.asked) == at.model.ended == 2


async def test_an_answer_that_is_stopped_while_its_question_is_written_is_stopped():
    at = Chats(["One ", 60.0])
    refuse_until(at, 300)
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.1)
    assert (await at.stop())["stopped"]
    assert (await asking).data("done")[0]["finishReason"] == "stopped"
    assert (await at.history())[0] == "user: Hi"


async def test_a_thread_that_is_deleted_while_a_question_is_written_does_not_come_back():
    at = Chats(["One ", 60.0])
    await at.turn()
    refuse_until(at, 61_500)
    asking = asyncio.ensure_future(at.turn("Two?"))
    await asyncio.sleep(0.1)
    deleting = at.here.call("DELETE", "/api/sessions", {"threadId": THREAD, "resourceId": ADA})
    assert (await deleting).json()["success"]
    await asking
    await asyncio.sleep(60)
    assert await at.history() == []
    assert await at.threads.find(ADA, THREAD) is None


class ShortSighted:
    """Takes no prompt at first, and then any. `asked`: its prompts."""

    name = "short-sighted"

    def __init__(self) -> None:
        self.asked: list[Sequence[ChatMessage]] = []

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append(items)
        if len(self.asked) == 1:
            raise PromptTooLong("Too long.", "")
        yield "Seen."


async def test_an_image_that_is_still_being_written_is_not_read():
    at = Chats()
    await at.turn("x" * 200)
    model = at.here.app.model = ShortSighted()
    refuse_until(at, 1500, "img:")
    at.kv.asked.clear()
    asking = asyncio.ensure_future(at.turn([image_part(MIN_APART_BYTES)]))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    assert len(model.asked) == 2
    assert model.asked[1][-1].content == [image_part(MIN_APART_BYTES)]
    await asking
    assert [key for operation, key in at.kv.asked if operation.startswith("get") and key.startswith("img:")] == []


async def _pieces(*pieces: Piece | float, ended: list[bool]) -> AsyncGenerator[Piece, None]:
    try:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                yield piece
    finally:
        ended.append(True)


async def test_one_piece_at_most_is_asked_for_early():
    ended: list[bool] = []
    early = EarlyPieces(_pieces(1.0, "a", "b", ended=ended))
    early.begin()
    await asyncio.sleep(2)
    began = asyncio.get_running_loop().time()
    assert [piece async for piece in early] == ["a", "b"]
    assert asyncio.get_running_loop().time() == pytest.approx(began)
    assert ended == [True]


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("seconds", [0, 2])
async def test_pieces_that_are_not_read_are_closed(begins: bool, seconds: float):
    ended: list[bool] = []
    early = EarlyPieces(_pieces(1.0, "a", ended=ended))
    if begins:
        early.begin()
        await asyncio.sleep(seconds)
    await early.aclose()
    assert ended == [True] * begins
    with pytest.raises(StopAsyncIteration):
        await anext(early)


async def test_a_failure_without_a_reader_is_no_failure():
    async def failing() -> AsyncGenerator[Piece, None]:
        raise ModelFailed("No.")
        yield ""

    early = EarlyPieces(failing())
    early.begin()
    await asyncio.sleep(0)
    await early.aclose()


async def test_what_is_thrown_in_reaches_the_model():
    early = EarlyPieces(_pieces("a", "b", ended=[]))
    assert await anext(early) == "a"
    with pytest.raises(KeyError):
        await early.athrow(KeyError("thrown"))
