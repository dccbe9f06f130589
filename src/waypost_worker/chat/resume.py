"""Coming back to an answer, and stopping it, wherever it is given."""

from waypost_worker.chat.answer_stream import tell
from waypost_worker.chat.context import Answering, ChatPorts, info_of, told
from waypost_worker.chat.unfinished import closed
from waypost_worker.errors import ModelError


async def resume(
    ports: ChatPorts, resource_id: str, thread_id: str, generation_id: str | None, start: int
) -> Answering | None:
    """Follow the answer that is being given in the thread; or, if `generation_id` is known, that one, also when it has
    ended, from its character `start` on. `None`: there is none.
    """
    running = ports.running(resource_id, thread_id)
    if running is not None and generation_id in (None, running.generation_id):
        try:
            joined = await ports.join(running, start if generation_id else 0)
        except ModelError:
            # Whoever asked is told why; for others there is nothing, and nothing was kept.
            return None
        if joined is not None:
            return joined
    thread = await ports.threads.find(resource_id, thread_id)
    if thread is None:
        return None
    conversation = ports.conversation(thread.session_id)
    items = await conversation.read()
    wanted = [item for item in items if (item.is_open if generation_id is None else item.id == generation_id)]
    if not wanted:
        return None
    item = wanted[-1]
    info = info_of(thread, item, items)
    if item.is_open:
        found = await ports.look_at(item)
        if found.is_alive:
            return ports.follow(info, conversation, start)
        if generation_id is None:
            return None
        item = closed(found.item)
    return Answering(info, told(tell(item, len(items), start)))


async def stop(
    ports: ChatPorts, resource_id: str, thread_id: str, generation_id: str | None
) -> tuple[bool, str | None]:
    """Stop the answer that is being given, if it is `generation_id`, or whichever it is; whether there was one to stop,
    and which one is, or was, being given."""
    running = ports.running(resource_id, thread_id)
    if running is not None:
        is_meant = generation_id in (None, running.generation_id)
        if is_meant:
            await ports.stop(running)
        return is_meant, running.generation_id
    thread = await ports.threads.find(resource_id, thread_id)
    items = await ports.conversation(thread.session_id).read() if thread else []
    for item in reversed(items):
        if item.is_open and (await ports.look_at(item)).is_alive:
            is_meant = generation_id in (None, item.id)
            if is_meant:
                await ports.pieces(item.id).request_stop()
            return is_meant, item.id
    return False, None
