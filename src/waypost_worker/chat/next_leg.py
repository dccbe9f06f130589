"""The next leg of an answer: what is generated from the page's outputs on, up to its end or to the page's next calls.

The answer stays one message. Its first write has the outputs in the log; nothing is shown before.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from waypost_worker.chat.beginning import Beginning
from waypost_worker.chat.call_ids import root_in
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.going_on import Waiting
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.opening import Opening
from waypost_worker.chat.question import Question
from waypost_worker.chat.resume import info_of
from waypost_worker.chat.tab_tools import TabTools
from waypost_worker.chat.turn import ResumedTurn
from waypost_worker.conversations.thread import validate_thread
from waypost_worker.kv.keys import thread_key
from waypost_worker.kv.together import together
from waypost_worker.models.model import ModelTool

ToolsOfAgent = Callable[[str | None], Awaitable[tuple[TabTools | None, list[ModelTool]]]]


async def prepare_leg(
    context: ChatContext, question: Question, live: LiveAnswer, found: Waiting, tools: ToolsOfAgent
) -> Coroutine[Any, Any, None]:
    """Everything that may refuse to let the answer `live` go on, but for the store. Returns what writes the outputs
    down and generates the rest into `live`. If the model fails before it says anything, the outputs are taken back, so
    that they can be sent again. `tools`: finds the tab of the question or of an agent, and its tools.

    Raises:
        InvalidBody, RateLimited, Busy, StorageUnavailable, BudgetSpent
    """
    conversation, answer = found.conversation, found.answer
    thread = context.threads.touch(found.thread, question.agent, question.metadata)
    validate_thread(thread)
    everything = [*found.history.older, *found.history.items]
    turn = ResumedTurn(
        everything,
        answer,
        conversation.place_of(answer.id),
        context.cursors.issue(thread_key(thread.resource_id, thread.thread_id), answer.generation),
        context.now_ms(),
        is_ui=question.is_ui,
        limit=conversation.window.messages,
    )
    opening = Opening(context, live, question, thread.agent, *await tools(thread.agent))
    build = opening.builder(turn)
    await opening.pay(turn, build)
    entries: list[str] = []

    async def undo() -> None:
        for entry in entries:
            await conversation.retract(entry, [])

    async def keep() -> None:
        append = conversation.append(turn.added, cursor=turn.answer.place, entries=entries, is_later=True)
        await together(append, context.threads.save(thread))

    steps = opening.steps(conversation, turn, build, root_in(answer.tool_events[0].id), {})
    return Beginning(context, conversation, turn, live, steps).run(
        info_of(thread, turn.answer, [*turn.asked, turn.answer]),
        keep,
        undo,
        undo,
        is_sure=context.can_write(2, len(msgspec.json.encode(turn.added))),
    )
