"""The beginning of an answer: the question is written down, and meanwhile the model is asked.

Nothing of the answer is shown before the question is kept. If that fails for good, the request to the model is ended,
what was written is taken back, and the question is refused. All of it goes on in the background, so that a client that
disconnects meanwhile finds either an answer to its question, or no trace of it.

The model is asked first only if no write can be refused for want of a budget: otherwise callers whose questions are
never kept could have a model asked.
"""

from collections.abc import Awaitable, Callable

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.early_pieces import EarlyPieces
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer
from waypost_worker.chat.steps import Steps
from waypost_worker.chat.turn import AnswerTurn
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.errors import Unavailable
from waypost_worker.kv.together import together

Work = Callable[[], Awaitable[None]]


class Beginning:
    """Begins the answer `live` of `turn`. The model is asked when the pieces of `steps` are read."""

    def __init__(
        self,
        context: ChatContext,
        conversation: Conversation,
        turn: AnswerTurn,
        live: LiveAnswer,
        steps: Steps,
    ) -> None:
        self._context = context
        self._conversation = conversation
        self._turn = turn
        self._live = live
        self._steps = steps
        self._pieces = EarlyPieces(steps.pieces())

    async def run(self, info: AnswerInfo, keep: Work, undo: Work, undo_asked: Work, *, is_sure: bool) -> None:
        """Writes the turn with `keep`, and generates the answer once that has succeeded. `is_sure`: no write is refused
        for want of a budget. `undo` takes back what was written, `undo_asked` a turn whose model has failed.

        What refuses the question is then in `live.refusal`.
        """
        if is_sure:
            self._pieces.begin()
        try:
            await keep()
        except BaseException as failure:
            # Before anything is taken back, which may take long: an answer without a reader must not be generated.
            await self._pieces.aclose()
            if not isinstance(failure, Exception):
                raise
            await self._take_back(undo)
            self._live.refusal = failure
            return
        self._live.info = info
        generation = Generation(self._context, self._conversation, self._turn, self._live)
        self._steps.begin(generation.keep)
        await together(generation.run(self._pieces, undo_asked), self._conversation.compact_if_due())

    async def _take_back(self, undo: Work) -> None:
        try:
            await undo()
        except Unavailable as failure:
            self._context.log(f"a question that was refused was not taken back: {failure.code}")
