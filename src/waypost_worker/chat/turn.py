"""A turn of a chat, its question and its answer, as changes of the conversation."""

from collections.abc import Sequence

import msgspec

from waypost_worker.chat.call_ids import root_in
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.window import last_messages


class AnswerTurn:
    """What a generation writes: its open `answer`, the last of the messages `added`; those of the conversation that
    stay are `kept`.

    `asked`: the messages before the answer, of which a prompt is made. `previous_count`: messages of the conversation
    before the turn, which are those after it is taken back. `limit`: so many are kept.
    """

    def __init__(
        self,
        kept: Sequence[ChatMessage],
        asked: Sequence[ChatMessage],
        added: Sequence[ChatMessage],
        previous_count: int,
        limit: int,
    ) -> None:
        self._kept = kept
        self._limit = limit
        self.asked = list(asked)
        self.added = list(added)
        self.answer = added[-1]
        self.previous_count = previous_count

    @property
    def so_far(self) -> ChatMessage | None:
        """The answer as far as it was inherited; `None` if it is empty."""
        return None if self.answer.is_blank else self.answer

    @property
    def message_count(self) -> int:
        """Messages of the conversation with the answer."""
        return self._count(self.added)

    @property
    def unanswered_count(self) -> int:
        """Messages of the conversation if the answer stays empty, and so is no message."""
        return self._count(self.added[:-1])

    def _count(self, added: Sequence[ChatMessage]) -> int:
        return len(last_messages([*self._kept, *added], self._limit))


class Turn(AnswerTurn):
    """The turn of `question` in a conversation that has `items`, none of them open. If `question` is one of them, it
    replaces that message, and all messages from it on are dropped. So they are if it is one of `older`, messages that
    are stored but not kept any more, or if it `replaces_all`: it was older than all that is stored. `is_again`: it is
    asked again, so copies of it that are not visible yet go too. `inherited`: the broken-off answer that the new one
    goes on with.

    `answer`: the open answer, empty but for what it has inherited. `added`: the question and that answer. `drops`: ids
    of the messages that go.
    """

    def __init__(
        self,
        items: Sequence[ChatMessage],
        question: ChatMessage,
        generation_id: str,
        *,
        is_ui: bool,
        limit: int,
        older: Sequence[ChatMessage] = (),
        replaces_all: bool = False,
        is_again: bool = False,
        inherited: ChatMessage | None = None,
    ) -> None:
        if replaces_all or any(item.id == question.id for item in older):
            items = [*older, *items]
        index = next((index for index, item in enumerate(items) if item.id == question.id), len(items))
        index = 0 if replaces_all else index
        kept = [item for item in items[:index] if is_message(item)]
        self._dropped = items[index:]
        answer = ChatMessage(
            generation_id,
            "assistant",
            "" if inherited is None else inherited.content,
            question.timestamp_ms,
            reasoning="" if inherited is None else inherited.reasoning,
            tool_events=[] if inherited is None else inherited.tool_events,
            partial=True,
            is_open=True,
            is_ui=is_ui,
            place=generation_id,
        )
        self.drops = [item.id for item in self._dropped]
        if is_again and question.id not in self.drops:
            self.drops.append(question.id)
        previous_count = len(kept) + sum(map(is_message, self._dropped))
        super().__init__(kept, [*kept, question], [question, answer], previous_count, limit)

    @property
    def replaced(self) -> list[ChatMessage]:
        """The messages that `drops` removes and that are there again if the turn is taken back."""
        # Without the places that answers have of their own: a version that does not know `Change.places` has removed
        # what stands there.
        return [msgspec.structs.replace(item, place="") for item in self._dropped if is_message(item)]


class ResumedTurn(AnswerTurn):
    """The turn of an answer that goes on, `answer`, with the outputs of the page's calls in its log. It stays the same
    message, at its `place`; nothing of the conversation `items` goes. `leg`: the generation that goes on with it.

    Where it is not visible yet that `answer` has replaced an attempt that was broken off, that one has the same calls,
    some without their results: the model is not to see it.
    """

    def __init__(
        self,
        items: Sequence[ChatMessage],
        answer: ChatMessage,
        place: str,
        leg: str,
        now_ms: int,
        *,
        is_ui: bool,
        limit: int,
    ) -> None:
        ids = [item.id for item in items]
        before, after = items[: ids.index(answer.id)], items[ids.index(answer.id) + 1 :]
        kept = [item for item in [*before, *after] if is_message(item)]
        resumed = msgspec.structs.replace(
            answer, timestamp_ms=now_ms, partial=True, is_open=True, is_ui=is_ui, place=place, leg=leg
        )
        root = _root(answer)
        asked = [item for item in before if not item.tool_events or _root(item) != root]
        super().__init__(kept, asked, [resumed], len(kept) + 1, limit)


def _root(answer: ChatMessage) -> str:
    return root_in(answer.tool_events[0].id)


def is_message(item: ChatMessage) -> bool:
    """Whether `item` counts as a message: an answer that ended without text and tool calls does not."""
    return not item.is_blank or not item.partial


def answer_to(items: Sequence[ChatMessage], message_id: str | None) -> ChatMessage | None:
    """The answer to the message `message_id` that is whole, or waits for the page; `None` if there is none."""
    for item, successor in zip(items, items[1:], strict=False):
        if item.id == message_id and successor.role == "assistant" and _is_over(successor):
            return successor
    return None


def _is_over(answer: ChatMessage) -> bool:
    return not answer.is_open and (answer.waits or not answer.partial)
