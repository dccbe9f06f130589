"""What callers wait for, in KV round trips one after another: `python -m simulation.caller_waits` prints it."""

from collections.abc import Callable

from simulation.caller_stories import (
    add_message,
    answer_accepted,
    call_with_id,
    first_call,
    first_word,
    leave,
    next_call,
    open_session,
    poll,
    pop_message,
    read_conversation,
    read_document,
    request_accepted,
    to_a_guests_stream,
    to_the_tab,
    tool_call,
    write_document,
)
from simulation.round_trips import Waited, counted

TO_TAB = "a request, until it is at the tab"
NEXT_CALL = "the next call within 30 s"
WITH_ID = "such a call with an id of the caller's"
BY_MCP = "such a call by MCP (`tools/call`)"
TO_GUEST = "such a call, until its answer is on the guest's stream"
OPENED, ACCEPTED, ANSWERED = "a session opened", "a request, until its 202", "an answer, until its 202"
POLLED, WRITTEN, READ = "a poll that finds nothing", "a document written", "a document read"
FIRST_QUESTION = "a thread's first question and an answer of one word, until that word"
NEXT_QUESTION = "its second question, the same"

CALLS: dict[str, Callable[[], Waited]] = {
    OPENED: lambda: counted(open_session),
    ACCEPTED: lambda: counted(request_accepted),
    TO_TAB: lambda: counted(to_the_tab),
    ANSWERED: lambda: counted(answer_accepted),
    "a call and its answer, both in one isolate": lambda: counted(first_call),
    NEXT_CALL: lambda: counted(next_call),
    WITH_ID: lambda: counted(call_with_id),
    BY_MCP: lambda: counted(tool_call),
    TO_GUEST: lambda: counted(to_a_guests_stream),
    POLLED: lambda: counted(poll),
    "a tab that closes": lambda: counted(leave),
    WRITTEN: lambda: counted(write_document),
    READ: lambda: counted(read_document),
    FIRST_QUESTION: lambda: first_word(1),
    NEXT_QUESTION: lambda: first_word(2),
}
"""Rows of the cost table, both ends of a call in one isolate. A question waits for the first word, without the silence
of the model."""

OF_AVERAGES: dict[str, Callable[[], Waited]] = {
    "a conversation that is read": lambda: counted(read_conversation),
    "a message added": lambda: counted(add_message),
    "a message popped": lambda: counted(pop_message),
}
"""The same of rows whose operations are counted elsewhere, by the beginning of their titles."""


def round_trips(title: str) -> str:
    """The cell of a row of the cost table; empty where no caller waits, or for something else than the store."""
    for beginning, story in OF_AVERAGES.items():
        if title.startswith(beginning):
            return str(story().round_trips)
    return ""


def main() -> None:
    """Prints them."""
    for title, story in (CALLS | OF_AVERAGES).items():
        waited = story()
        print(f"{waited.round_trips:3}  {title}  {dict(waited.operations)}")


if __name__ == "__main__":
    main()
