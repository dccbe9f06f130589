"""A conversation that is too long for the model: half of it is tried once, in chats and for voice agents."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from simulation.client import Reply
from tests.support.chats import Chats
from tests.support.voice import Setting as Voice
from waypost_worker.chat.asking import HALF_TOO_LONG, MESSAGE_TOO_LONG
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import PromptTooLong
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.models.openai_messages import text_of


class SmallModel:
    """Takes prompts of so many characters. `asked`: their lengths."""

    name = "small"

    def __init__(self, characters: int, *, speaks_first: bool = False) -> None:
        self.characters = characters
        self.asked: list[int] = []
        self._speaks_first = speaks_first

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append(sum(len(text_of(item.content)) for item in items))
        if self._speaks_first:
            yield "Well"
        if self.asked[-1] > self.characters:
            raise PromptTooLong("Too long.", "what the service said")
        yield "x" * 99


async def chat(at: Chats, message: str = "y" * 100) -> Any:
    """The error of an answer, or `None`."""
    stream = await at.turn(message)
    return next(iter(stream.data("error")), None)


async def test_a_conversation_that_is_too_long_is_answered_with_half_of_it():
    at = Chats()
    model = at.here.app.model = SmallModel(700)
    assert [await chat(at) for _ in range(6)] == [None] * 6
    # 700 characters are four turns at most; then the model is asked again.
    assert model.asked == [100, 299, 498, 697, 896, 299, 1095, 498]


async def test_a_conversation_of_which_half_is_too_long_is_a_problem_that_says_so():
    at = Chats()
    model = at.here.app.model = SmallModel(10_000)
    assert [await chat(at) for _ in range(4)] == [None] * 4
    model.characters = 200
    assert (await chat(at))["message"] == HALF_TOO_LONG
    assert len(model.asked) == 6
    # The question is not kept, so a shorter one can be asked.
    model.characters = 10_000
    assert await chat(at) is None
    assert model.asked[-1] == 896


async def test_a_message_that_is_too_long_alone_is_asked_once():
    at = Chats()
    model = at.here.app.model = SmallModel(50)
    assert await chat(at) == {"code": "prompt_too_long", "message": MESSAGE_TOO_LONG, "partial": False}
    assert model.asked == [100]


async def test_a_model_that_says_so_after_its_first_word_is_not_asked_again():
    at = Chats()
    at.here.app.model = SmallModel(50, speaks_first=True)
    assert (await chat(at))["code"] == "prompt_too_long"
    assert await at.history() == ["user: " + "y" * 100, "assistant: Well (partial)"]


@pytest.mark.parametrize(("characters", "status"), [(2000, 200), (1000, 413)])
async def test_a_voice_agents_conversation_is_halved_too(characters: int, status: int):
    at = Voice()
    model = at.client.app.model = SmallModel(10_000)
    for _ in range(3):
        await at.ask("z" * 900)
    model.characters = characters
    reply: Reply = await at.ask("z" * 900)
    assert (reply.status, len(model.asked)) == (status, 5)
    if status == 413:
        assert (reply.json()["code"], reply.json()["detail"]) == ("prompt_too_long", HALF_TOO_LONG)
