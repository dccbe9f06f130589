"""A question to a thread, and which running answers it stops."""

from collections.abc import Container, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

import msgspec

from waypost_worker.chat.answer_events import START, Position
from waypost_worker.chat.page_calls import PageAnswer
from waypost_worker.chat.turn import answer_to
from waypost_worker.conversations.images import identified
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.cursor import issued_ms
from waypost_worker.models.model import ModelTool


class Question(msgspec.Struct, frozen=True):
    """A question. With a `message_id` it is idempotent: asked again, it gets the answer that it has or is getting.

    `regenerate`: the conversation from that message on is dropped, and the question is answered again.
    `interrupt`: a running answer is stopped first, instead of refusing the question.
    `answer_id`: the answer that is to be replaced, if the page names it.
    `previous_ids`: the ids of the messages before it on the page that asks, the nearest first; empty if unknown.
    `asker`: names the client that asks, for comparison only.
    `resumed_at`: the answer that the client was hearing, and how much of it the client has.
    `page_tools`: those that the page runs itself, under its own names.
    `goes_on`: instead of a question, the answer that is to go on with outputs of these tools. `left`: the answer before
    the question, if it has calls of them, which the question leaves.
    """

    content: Any
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None
    is_ui: bool = False
    regenerate: bool = False
    interrupt: bool = False
    answer_id: str = ""
    previous_ids: tuple[str, ...] = ()
    asker: str = ""
    resumed_at: tuple[str, Position] | None = None
    page_tools: tuple[ModelTool, ...] = ()
    goes_on: PageAnswer | None = None
    left: PageAnswer | None = None

    def may_interrupt(self, generation_id: str, left_by: str) -> bool:
        """Whether it stops the running answer `generation_id`, which the client `left_by` has left; empty: its client
        is still there.

        A page that asks behind an answer that it shows has stopped listening to it, or wants to. So does a client whose
        connection to the answer is closed.
        """
        has_left = bool(left_by) and left_by == self.asker
        return self.interrupt or self.regenerate or has_left or self.previous_ids[:1] == (generation_id,)

    def is_repeated(self, generation_id: str, message_id: str, content_tag: str) -> bool:
        """Whether it is the question of the answer `generation_id`, sent again by a client that was hearing that one.

        `message_id`, `content_tag`: of that answer's question; without a `message_id` of its own, it is recognised by
        its content.
        """
        if self.regenerate or self.resumed_at is None or self.resumed_at[0] != generation_id:
            return False
        return self.message_id == message_id or (self.message_id is None and content_tag == tag_of(self.content))

    def is_of(self, generation_id: str, message_id: str, content_tag: str) -> bool:
        """Whether it is the question of the running answer `generation_id`, and is not to be answered again."""
        is_same = self.message_id == message_id and not self.regenerate
        return is_same or self.is_repeated(generation_id, message_id, content_tag)

    def start_in(self, generation_id: str) -> Position:
        """How much of the answer `generation_id` the client has."""
        return self.resumed_at[1] if self.resumed_at is not None and self.resumed_at[0] == generation_id else START

    def is_about_cut_message(self, items: Sequence[ChatMessage]) -> bool:
        """Whether it is asked again and older than all `items` of the conversation, which then all follow it.

        An id that is not known may also be that of a question that failed and was never kept; nothing follows that one.
        The two are told apart by the ids around it: answers have their time in theirs.
        """
        known = {item.id for item in items}
        around = [name for name in (self.answer_id, *self.previous_ids) if name]
        if not self.regenerate or not known or not known.isdisjoint([self.message_id, *around]):
            return False
        made_ms = next((ms for name in around if (ms := issued_ms(name)) is not None), None)
        return made_ms is not None and made_ms < items[0].timestamp_ms


def answer_of(items: Sequence[ChatMessage], question: Question) -> ChatMessage | None:
    """The answer among `items` that `question` gets without asking the model: the one that its client was hearing, or
    the whole one that it has; `None` if there is none."""
    for item in items:
        if (
            question.start_in(item.id) != START
            and not item.is_open
            and question.is_repeated(item.id, *asked_in(items, item))
        ):
            return item
    return None if question.regenerate else answer_to(items, question.message_id)


def broken_off(items: Sequence[ChatMessage], question: Question, abandoned: Container[str]) -> ChatMessage | None:
    """The answer among `items` that a new one to `question` goes on with: one that has called tools and is not whole,
    up to its last call or result. `None` if there is none.

    `abandoned`: the ids of answers whose isolates are gone. One of them is gone on with even if the question is to be
    answered again: its client asks for that because the answer broke off.
    """
    for asked, answer in pairwise(items):
        if asked.id == question.message_id and tag_of(asked.content) == tag_of(question.content):
            is_meant = answer.id in abandoned or not question.regenerate
            if not answer.tool_events or not answer.partial or not is_meant:
                return None
            last = answer.tool_events[-1]
            content, reasoning = str(answer.content)[: last.text], answer.reasoning[: last.reasoning]
            return msgspec.structs.replace(answer, content=content, reasoning=reasoning)
    return None


def tag_of(content: Any) -> str:
    """A short name of a message's content: equal for equal content, with its images or with references to them."""
    return sha256(msgspec.json.encode(identified(content))).hexdigest()[:16]


def asked_in(items: Sequence[ChatMessage], answer: ChatMessage) -> tuple[str, str]:
    """The id and the tag of the question of `answer`, one of `items`: the last user's message before it. Empty if there
    is none."""
    questions = [item for item in items[: items.index(answer)] if item.role == "user"]
    return (questions[-1].id, tag_of(questions[-1].content)) if questions else ("", "")
