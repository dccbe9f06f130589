# Made from `waypost/_async/chat.py` by `npm run python-client`: change that one.
"""One chat: asks questions, streams the answers, and reads the history that the server keeps."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Literal

from waypost._core.answering import AnswerStream
from waypost._core.effects import Flow
from waypost._core.ids import new_id, plain_code
from waypost._core.messages import Request
from waypost._core.retrying import sending
from waypost._sync.conversation import Conversation
from waypost._sync.driver import Driver
from waypost._sync.guest import Guest
from waypost._wire import chats, conversations, threads
from waypost.chat_events import ChatDelta, ChatError, ChatEvent, ChatStart
from waypost.errors import NotFound, WaypostError
from waypost.types import History, Stopped


class Answer:
    """The events of one answer: an iterator, which `with` closes early. The answer itself goes on at the server
    and is kept, whether its events are read or not."""

    def __init__(self, chat: Chat, events: Generator[ChatEvent, None, None]) -> None:
        self._chat = chat
        self._events = events

    def __iter__(self) -> Iterator[ChatEvent]:
        return self

    def __next__(self) -> ChatEvent:
        event: ChatEvent = next(self._events)
        if isinstance(event, ChatStart):
            self._chat._heard(event)
        return event

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def text(self) -> str:
        """Reads to the end, and returns the answer's whole text. Raises `WaypostError` with the model's code if it
        failed."""
        parts = []
        for event in self:
            if isinstance(event, ChatDelta):
                parts.append(event.text)
            if isinstance(event, ChatError):
                raise WaypostError(event.code, event.message)
        return "".join(parts)

    def close(self) -> None:
        """Stops reading."""
        self._events.close()


class Chat:
    """The chat of one thread. `session_id`: the secret that owns its history, documents and pages, once it is known."""

    def __init__(
        self,
        driver: Driver,
        thread_id: str,
        resource_id: str | None = None,
        *,
        agent: str | None = None,
        session_id: str | None = None,
    ) -> None:
        self._driver = driver
        self.thread_id = thread_id
        self.resource_id = resource_id or thread_id
        self.agent = agent
        self.session_id = session_id
        self._generation_id: str | None = None

    def send(
        self,
        message: str | Sequence[Mapping[str, Any]],
        *,
        message_id: str | None = None,
        interrupt: bool = False,
        metadata: Mapping[str, str] | None = None,
        tab: Guest | str | None = None,
    ) -> Answer:
        """Asks a question, once its first event is read. If the connection breaks, the events go on without losing or
        repeating a character. `message`: a text, or parts with images. `message_id`: the same id is the same question,
        and gets the answer that it has or is getting. `interrupt`: stops an answer that is running. `tab`: a guest, or
        a session's code, whose tools the model may call.

        The first event raises `Conflict` (`answer_running`) and other refusals, and `TransportError` if no reply came.
        If the model fails, there is a `ChatError`; if that is not `partial`, neither question nor answer is kept."""
        message_id = message_id or new_id()
        first = chats.ask(
            message,
            self.thread_id,
            self.resource_id,
            message_id,
            agent=self.agent,
            interrupt=interrupt,
            metadata=metadata,
            session=_tab(tab),
        )
        self._generation_id = None
        return self._answer(first, message_id)

    def resume(self) -> Answer:
        """The answer that is running, from its beginning; no events if none is. The first event raises `NotFound` if
        there is no such thread."""
        return self._answer(chats.follow(self.thread_id, self.resource_id), "")

    def stop(self) -> Stopped:
        """Stops the running answer for all readers; its text so far is kept. If this chat has seen an answer begin,
        only that one is stopped."""
        return self._driver.send(chats.stop(self.thread_id, self.resource_id, self._generation_id))

    def history(self, *, limit: int | None = None, before: str | None = None) -> History:
        """Reads the kept messages, or a page of them: see `Conversation.messages`. A thread that has none yet is
        empty."""
        return self._driver.run(self._history(limit, before))

    def conversation(self) -> Conversation:
        """Its conversation. Raises `NotFound` if the thread has not begun."""
        return Conversation(self._driver, self._driver.run(self._found()))

    def remove(self, message_id: str) -> None:
        """Deletes one message; the others stay, and the model is shown them without it."""
        (self.conversation()).remove(message_id)

    def export(self, format: Literal["json", "jsonl", "markdown"] = "markdown") -> str:
        """The kept messages as text for a file. Raises `NotFound` if the thread has not begun."""
        return (self.conversation()).export(format)

    def fork(
        self,
        thread_id: str,
        *,
        at_message_id: str | None = None,
        agent: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Chat:
        """Begins another thread with this one's history, all of it or up to a message. This one does not change."""
        call = chats.fork(
            self.thread_id,
            thread_id,
            self.resource_id,
            at_message_id=at_message_id,
            agent=agent or self.agent,
            metadata=metadata,
        )
        thread = self._driver.send(call)
        return Chat(self._driver, thread_id, self.resource_id, agent=agent or self.agent, session_id=thread.session_id)

    def _answer(self, first: Request, message_id: str) -> Answer:
        stream = AnswerStream(
            (self.thread_id, self.resource_id),
            lambda event_id: chats.follow(self.thread_id, self.resource_id, event_id),
            lambda: self._history(None, None),
            message_id,
        )
        return Answer(self, self._driver.iterate(stream.run(first)))

    def _heard(self, start: ChatStart) -> None:
        self.session_id = start.session_id
        self._generation_id = start.generation_id

    def _history(self, limit: int | None, before: str | None) -> Flow[History]:
        try:
            session_id = yield from self._found()
        except NotFound:
            return History([], False)
        call = conversations.read_conversation(session_id, limit=limit, before=before)
        return (yield from sending(call, self._driver.retry))

    def _found(self) -> Flow[str]:
        if self.session_id is None:
            call = threads.read_thread(self.thread_id, self.resource_id)
            self.session_id = (yield from sending(call, self._driver.retry)).session_id
        return self.session_id


def _tab(tab: Guest | str | None) -> dict[str, str] | None:
    if tab is None:
        return None
    if isinstance(tab, str):
        return {"code": plain_code(tab)}
    return {"token": tab.token} if tab.token else {"code": tab.code}
