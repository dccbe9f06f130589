"""The bytes of answers."""

from collections.abc import AsyncGenerator

from simulation.virtual_time import run
from waypost_worker.chat.answer_events import AnswerEvent
from waypost_worker.chat.live_answer import AnswerInfo
from waypost_worker.chat.wire_formats import AnswerFormat, encode_answer

INFO = AnswerInfo("g", "s", "t", "r", "m")


def whole(answer_format: AnswerFormat, *followed: AnswerEvent) -> bytes:
    """The whole stream of an answer of these events."""

    async def following() -> AsyncGenerator[AnswerEvent, None]:
        for one in followed:
            yield one

    async def read() -> bytes:
        return b"".join([chunk async for chunk in encode_answer(following(), answer_format)])

    return run(read())
