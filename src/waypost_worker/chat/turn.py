"""One question and its answer, as writes to a conversation: what is added, what makes room for it, what undoes it."""

from collections.abc import Sequence

import msgspec

from waypost_worker.conversations.message import ChatMessage, last_messages


class Turn:
    """The question `question` in a conversation that has `items`, none of them open. If it is among them, it is said
    anew from there on.

    `drops`: ids of the items that go. `added`: the question, and the place of its answer.
    """

    def __init__(
        self, items: Sequence[ChatMessage], question: ChatMessage, generation_id: str, *, is_ui: bool, limit: int
    ) -> None:
        index = next((index for index, item in enumerate(items) if item.id == question.id), len(items))
        self._kept = [item for item in items[:index] if is_message(item)]
        self._dropped = items[index:]
        self._question = question
        self._limit = limit
        self._answer = ChatMessage(
            generation_id,
            "assistant",
            "",
            question.timestamp_ms,
            partial=True,
            is_open=True,
            is_ui=is_ui,
            place=generation_id,
        )
        self.drops = [item.id for item in self._dropped]
        self.added = [question, self._answer]

    @property
    def message_count(self) -> int:
        """Messages that the conversation has with the answer."""
        return len(last_messages([*self._kept, *self.added], self._limit))

    @property
    def unanswered_count(self) -> int:
        """Messages that it has if no answer comes of it."""
        return len(last_messages([*self._kept, self._question], self._limit))

    def prompt(self, instructions: str | None) -> list[ChatMessage]:
        """What the model is shown."""
        told = [ChatMessage("instructions", "system", instructions, 0)] if instructions else []
        return told + last_messages([*self._kept, self._question], self._limit)

    def rollback(self) -> tuple[list[ChatMessage], list[str]]:
        """What to append, and what to drop, so that the conversation is as it was."""
        # Without their old places: those are what `drops` makes void.
        restored = [msgspec.structs.replace(item, place="") for item in self._dropped if is_message(item)]
        # Also those that were to go, whether they went or not: so they stand in their old order.
        return restored, [*self.drops, *(item.id for item in self.added if item.id not in self.drops)]


def is_message(item: ChatMessage) -> bool:
    """Whether `item` is one: an answer of which nothing was said is none."""
    return bool(item.content) or not item.partial


def answer_to(items: Sequence[ChatMessage], message_id: str | None) -> ChatMessage | None:
    """The whole answer that `items` have to the message of this id; `None` if there is none, or it is partial."""
    for item, following in zip(items, items[1:], strict=False):
        if item.id == message_id and following.role == "assistant" and not following.partial:
            return following
    return None
