"""An answer of a model while its chunks arrive: what is certain of it is passed on, the rest is held back."""

from collections.abc import Callable, Sequence

from waypost_worker.models.completion_chunk import CUT_OFF, CompletionChunk
from waypost_worker.models.model import ModelTool, Piece, Reasoning, ToolUse
from waypost_worker.models.text_calls import TextCalls
from waypost_worker.models.think_tags import ThinkTags
from waypost_worker.models.tool_calls import ToolCalls
from waypost_worker.surrogates import SurrogateJoiner


class ArrivingAnswer:
    """An answer whose chunks are arriving, of a model that was offered `tools`."""

    def __init__(self, tools: Sequence[ModelTool]) -> None:
        self.finish_reason: str | None = None
        self.is_done = self.is_document = False
        self.is_empty = True
        self._has_no_reasons = False
        self._has_tools = bool(tools)
        self._tags, self._text_calls = ThinkTags(), TextCalls(tools)
        self._calls = ToolCalls(tool.name for tool in tools)
        self._text, self._reasoning = SurrogateJoiner(), SurrogateJoiner()

    @property
    def is_whole(self) -> bool:
        """Whether the service has said that the answer is complete."""
        return bool(self.finish_reason) or self.is_document or (self.is_done and self._has_no_reasons)

    def add(self, chunk: CompletionChunk) -> list[Piece]:
        """The pieces that `chunk` adds.

        Raises:
            ModelFailed: see `ToolCalls.add`.
        """
        self.finish_reason = self.finish_reason or chunk.finish_reason
        self._has_no_reasons = self._has_no_reasons or chunk.has_no_reasons
        self._calls.add(chunk.calls)
        pieces: list[Piece] = []
        if reasoning := self._reasoning.add(chunk.reasoning):
            pieces.append(Reasoning(reasoning))
        pieces += self._sure(self._tags.feed(self._text.add(chunk.text)))
        self.is_empty = self.is_empty and not pieces and not self._calls
        return pieces

    def end(self, *, has_failed: bool = False) -> list[Piece]:
        """What was held back; may be called again."""
        reasoning = self._reasoning.end()
        pieces: list[Piece] = [Reasoning(reasoning)] if reasoning else []
        pieces += self._sure(self._tags.feed(self._text.end()) + self._tags.end())
        is_whole = self.is_whole and not has_failed and self.finish_reason not in CUT_OFF
        text, calls = self._text_calls.end(is_whole=is_whole and not self._calls)
        self._calls.add(calls)
        pieces += [text] if text else []
        self.is_empty = self.is_empty and not pieces and not self._calls
        return pieces

    def uses(self, log: Callable[[str], None]) -> list[ToolUse]:
        """The calls of a whole answer."""
        if self._calls and not self._has_tools:
            log("a call of a model that was offered no tools was skipped")
            return []
        return self._calls.end()

    def _sure(self, pieces: list[Piece]) -> list[Piece]:
        """`pieces` without the text that may be a call."""
        if not self._has_tools:
            return pieces
        sure = [self._text_calls.feed(piece) if isinstance(piece, str) else piece for piece in pieces]
        return [piece for piece in sure if piece]
