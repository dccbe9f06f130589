"""An answer that waits for outputs of the page, as the request that sends them finds it.

The outputs are in the answer's log once, in the first write of its next leg. So the same request, sent again, finds
them there, and gets what the answer has become since.
"""

from typing import NamedTuple

import msgspec

from waypost_worker.chat.answer_stream import AnswerStream
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.found_thread import find_to_read
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.page_calls import PageAnswer, is_behind, results_for, start_behind, with_results
from waypost_worker.chat.resume import follow_remote, info_of, inspect_open, join_live, replay_ended, wait_until_begun
from waypost_worker.chat.unfinished import MISSED_INTERVALS, as_partial
from waypost_worker.conversations.conversation import Conversation, History
from waypost_worker.conversations.message import ChatMessage, open_page_calls
from waypost_worker.conversations.thread import Thread
from waypost_worker.errors import AnswerRunning, MessageNotFound

LOOKS = MISSED_INTERVALS + 1
"""How often an answer is looked at that seems to be running, or to lack a call that the page has: after so many
intervals, an isolate that is gone has been noticed, and what it wrote is visible in its data centre."""


class Waiting(NamedTuple):
    """An answer with the outputs for which it waited, not written yet, and where it was found. `kept`: the same as the
    conversation has it."""

    thread: Thread
    conversation: Conversation
    history: History
    kept: ChatMessage
    answer: ChatMessage


async def find_waiting(
    context: ChatContext, resource_id: str, thread_id: str, sent: PageAnswer
) -> AnswerStream | Waiting:
    """The answer that is to go on with what was `sent`; or its stream behind the outputs, if it has them.

    Raises:
        InvalidBody: see `results_for`. A call that this answer may have made is looked for before.
        MessageNotFound: the thread has no such answer.
        AnswerRunning: the answer is still being generated, and is not waiting for the page.
        StorageUnavailable, BudgetSpent
    """
    for looks_left in reversed(range(LOOKS)):
        found = await find_to_read(context, resource_id, thread_id)
        if found is None:
            raise MessageNotFound("There is no such thread, so it has no answer that could go on.")
        thread, conversation, history = found
        everything = [*history.older, *history.items]
        kept = next((item for item in everything if item.id == sent.answer_id and item.role == "assistant"), None)
        if kept is None:
            raise MessageNotFound("The thread has no answer of this id; only its last messages are kept.")
        info = info_of(thread, kept, everything)
        answer, is_alive = kept, False
        if kept.is_open:
            unfinished = await inspect_open(context, kept)
            answer, is_alive = unfinished.item, unfinished.is_alive
        if not is_alive:
            answer = await _taken_over(context, answer)
        if looks_left and is_behind(answer, sent):
            await _wait(context)
            continue
        start = start_behind(answer.tool_events, sent)
        results = results_for(answer, sent)
        if is_alive and not results:
            return going_on(follow_remote(context, info, conversation, start))
        is_over = not kept.is_open or bool(open_page_calls(answer.tool_events))
        if is_over and not results:
            return going_on(replay_ended(info, answer, len(history.items), start))
        if not is_alive:
            return Waiting(thread, conversation, history, kept, with_results(answer, results))
        # The page is faster than the store, or the isolate has died.
        await _wait(context)
    raise answer_running(sent.answer_id)


async def _wait(context: ChatContext) -> None:
    await context.invocation.clock.sleep(context.invocation.plan.chunk_ms / 1000)


async def join_waiting(context: ChatContext, live: LiveAnswer, sent: PageAnswer) -> AnswerStream | None:
    """The stream of `live`, the answer as it is generated here, behind the outputs. `None`: it is generated no more.

    Raises:
        InvalidBody: see `results_for`.
        AnswerRunning: it is still on its way to the calls that wait for the page.
    """
    await wait_until_begun(context, live)
    if live.info is None or not live.is_running(context.now_ms()):
        return None
    answer = ChatMessage(
        live.generation_id, "assistant", live.text, 0, partial=True, tool_events=list(live.tool_events)
    )
    if results_for(answer, sent):
        raise answer_running(live.generation_id)
    joined = await join_live(context, live, start_behind(live.tool_events, sent))
    return joined and going_on(joined)


def answer_running(generation_id: str) -> AnswerRunning:
    """The error for outputs that come before their answer waits for them, or while another one is generated."""
    return AnswerRunning(
        "An answer of this thread is being generated: send the outputs once it has ended.", generation_id
    )


async def _taken_over(context: ChatContext, answer: ChatMessage) -> ChatMessage:
    if not answer.is_open:
        return answer
    # As a question that is asked again does: what the other one may still write is not gone on with.
    await context.chunks(answer.generation).take_over()
    return as_partial((await inspect_open(context, answer)).item)


def going_on(stream: AnswerStream) -> AnswerStream:
    """`stream` as that of an answer that goes on."""
    return msgspec.structs.replace(stream, goes_on=True)
