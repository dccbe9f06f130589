"""Coming back to an answer, and stopping it, wherever it is given."""

from waypost_worker.chat.answer_stream import replay
from waypost_worker.chat.context import AnswerStream, ChatContext, as_stream, info_of
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.errors import ModelError


async def resume(
    chats: ChatContext, resource_id: str, thread_id: str, generation_id: str | None, start: int
) -> AnswerStream | None:
    """Follow the answer that is being given in the thread; or, if `generation_id` is known, that one, also when it has
    ended, from its character `start` on. `None`: there is none.
    """
    running = chats.running(resource_id, thread_id)
    if running is not None and generation_id in (None, running.generation_id):
        try:
            joined = await chats.join(running, start if generation_id else 0)
        except ModelError:
            # Whoever asked is told why; for others there is nothing, and nothing was kept.
            return None
        if joined is not None:
            return joined
    thread = await chats.threads.find(resource_id, thread_id)
    if thread is None:
        return None
    conversation = chats.conversation(thread.session_id)
    items = await conversation.read()
    wanted = [item for item in items if (item.is_open if generation_id is None else item.id == generation_id)]
    if not wanted:
        return None
    item = wanted[-1]
    info = info_of(thread, item, items)
    if item.is_open:
        found = await chats.inspect(item)
        if found.is_alive:
            return chats.follow(info, conversation, start)
        if generation_id is None:
            return None
        item = as_partial(found.item)
    return AnswerStream(info, as_stream(replay(item, len(items), start)))


async def stop(
    chats: ChatContext, resource_id: str, thread_id: str, generation_id: str | None
) -> tuple[bool, str | None]:
    """Stop the answer that is being given, if it is `generation_id`, or whichever it is; whether there was one to stop,
    and which one is, or was, being given."""
    running = chats.running(resource_id, thread_id)
    if running is not None:
        is_meant = generation_id in (None, running.generation_id)
        if is_meant:
            await chats.stop(running)
        return is_meant, running.generation_id
    thread = await chats.threads.find(resource_id, thread_id)
    items = await chats.conversation(thread.session_id).read() if thread else []
    for item in reversed(items):
        if item.is_open and (await chats.inspect(item)).is_alive:
            is_meant = generation_id in (None, item.id)
            if is_meant:
                await chats.chunks(item.id).request_stop()
            return is_meant, item.id
    return False, None
