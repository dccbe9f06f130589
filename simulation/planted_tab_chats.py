"""Planted bugs of chats that use a tab (see `planted.py`)."""

from typing import Any

from simulation.replaced import replaced
from waypost_worker.chat import chat, steps
from waypost_worker.chat.call_ids import own_root
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.steps import Steps


def forgets_the_log() -> Any:
    """A question that is asked again is answered from its beginning, tools included."""
    return replaced(chat, "broken_off", lambda *_: None)


def calls_before_it_is_written() -> Any:
    """The tab is sent a call before the answer's log has it in KV."""

    async def refusal(self: Any) -> None:
        return None

    return replaced(Steps, "_refusal", refusal)


def ids_of_each_attempt() -> Any:
    """Each attempt at a question gives its calls ids of its own."""

    def root(thread: Any, question: Any, live: Any, inherited: Any) -> str:
        return own_root(live.generation_id)

    return replaced(chat, "_root", root)


def ids_of_the_place_alone() -> Any:
    """Two calls at the same place of a question have the same id, whatever they ask for."""

    def call_id(root: str, step: int, number: int, tab: str, name: str, args: Any) -> str:
        return f"{root}.{step}.{number}"

    return replaced(steps, "call_id", call_id)


def goes_on_though_it_was_taken_over() -> Any:
    """An attempt that another one has taken over goes on, and is shown to its end."""

    async def look(self: Any) -> None:
        pass

    return replaced(Generation, "_look_for_stop", look)


TAB_CHAT_BUGS = (
    forgets_the_log,
    calls_before_it_is_written,
    ids_of_each_attempt,
    ids_of_the_place_alone,
    goes_on_though_it_was_taken_over,
)
