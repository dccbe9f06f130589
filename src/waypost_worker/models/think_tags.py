"""Separates the reasoning that some models put before their answer, in `<think>` tags, from the answer.

Only tags at the start count: an answer may be about such tags. Servers for these models usually separate the two
themselves; text in tags comes from those that are not configured to, and from small models on a laptop.
"""

from waypost_worker.models.model import Piece, Reasoning

TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))


class ThinkTags:
    """One answer. Holds back what may be the beginning of a tag."""

    def __init__(self) -> None:
        self._held = ""
        self._end_tag = ""
        self._is_decided = False
        self._is_after_tag = False

    def feed(self, text: str) -> list[Piece]:
        """What `text` adds, in order and never empty."""
        if self._is_decided and not self._end_tag:
            return self._answer(text)
        self._held += text
        if not self._is_decided and not self._decide():
            return []
        if not self._end_tag:
            held, self._held = self._held, ""
            return self._answer(held)
        return self._reason()

    def end(self) -> list[Piece]:
        """What was held back at the end of the answer."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [Reasoning(held)] if self._end_tag else [held]

    def _decide(self) -> bool:
        start = self._held.lstrip()
        for tag, end_tag in TAGS:
            if start.startswith(tag):
                self._end_tag, self._held, self._is_decided = end_tag, start[len(tag) :], True
            # Its server has taken the reasoning and the first tag out, and left the second.
            elif start.startswith(end_tag):
                self._held, self._is_decided, self._is_after_tag = start[len(end_tag) :], True, True
            elif tag.startswith(start) or end_tag.startswith(start):
                return False
            if self._is_decided:
                return True
        self._is_decided = True
        return True

    def _reason(self) -> list[Piece]:
        before, tag, after = self._held.partition(self._end_tag)
        if tag:
            self._held, self._end_tag, self._is_after_tag = "", "", True
            return [*([Reasoning(before)] if before else []), *self._answer(after)]
        kept = _overlap(before, self._end_tag)
        self._held = before[len(before) - kept :]
        begun = before[: len(before) - kept]
        return [Reasoning(begun)] if begun else []

    def _answer(self, text: str) -> list[Piece]:
        if self._is_after_tag:
            # Models put empty lines between the two.
            text = text.lstrip()
            self._is_after_tag = not text
        return [text] if text else []


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    lengths = range(min(len(text), len(tag) - 1), 0, -1)
    return next((length for length in lengths if text.endswith(tag[:length])), 0)
