"""`waypost chat`: asks in a thread, once or at a prompt."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from waypost.cli.options import Invocation, Secret, read_text, verb
from waypost.cli.output import to_text

if TYPE_CHECKING:
    from waypost._async.chat import AsyncAnswer, AsyncChat


@click.command()
@click.argument("thread")
@click.argument("text", required=False)
@click.option("--resource", help="Whose thread it is.  [the thread's own id]")
@click.option("--agent", help="Which of the server's agents answers.")
@click.option("--tab", metavar="CODE", type=Secret(), help="Let the model use the tools of this session.")
@click.option("--resume", is_flag=True, help="Join the answer that is running, and ask nothing.")
@click.option("--stop", is_flag=True, help="Stop the answer that is running.")
@verb
async def chat(
    use: Invocation,
    thread: str,
    text: str | None,
    resource: str | None,
    agent: str | None,
    tab: str | None,
    resume: bool,
    stop: bool,
) -> None:
    """Asks TEXT in THREAD, and prints the answer while it comes. TEXT is - for stdin; without it, on a terminal, there
    is a prompt. Ctrl-C stops the answer too. With --json, one document for each event.
    """
    if (resume + stop + (text is not None)) > 1:
        raise click.UsageError("Choose one: a text, --resume or --stop.")
    is_prompt = text is None and not resume and not stop
    if is_prompt and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("What to ask? Give a text, or - to read it from stdin.")
    question = read_text("-").rstrip("\r\n") if text == "-" else text
    if question is not None and not question.strip():
        raise click.UsageError("The question is empty.")
    async with use.client() as client:
        asked = client.chat(thread, resource, agent=agent)
        guest = await use.join(client, tab) if tab else None
        if stop:
            stopped = await asked.stop()
            use.out.result(stopped, "Stopped." if stopped.stopped else "No answer was running.")
        elif resume:
            await _show(use, asked, asked.resume())
        elif question is not None:
            await _show(use, asked, asked.send(question, tab=guest))
        else:
            await _converse(use, asked, lambda line: asked.send(line, tab=guest))


async def _converse(use: Invocation, chat: AsyncChat, ask: Callable[[str], AsyncAnswer]) -> None:
    from waypost.errors import WaypostError

    while True:
        try:
            line = _read_line()
        except EOFError:
            use.out.note("")
            return
        if not line.strip():
            continue
        try:
            await _show(use, chat, ask(line))
        except WaypostError as error:
            use.out.note(str(error))


def _read_line() -> str:
    """A line of the terminal. asyncio's handler would let the first Ctrl-C pass while this waits."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input("> ")
    finally:
        signal.signal(signal.SIGINT, handler)


async def _show(use: Invocation, chat: AsyncChat, answer: AsyncAnswer) -> None:
    """Prints the events of an answer. Raises `WaypostError` if the model failed."""
    from waypost import chat_events as events
    from waypost.errors import WaypostError

    failed: WaypostError | None = None
    is_empty, has_begun = True, False
    try:
        async with answer:
            async for event in answer:
                has_begun = True
                if isinstance(event, events.ChatError):
                    failed = WaypostError(event.code, event.message)
                if isinstance(event, events.ChatWaiting):
                    use.out.note(f"The connection is lost. It comes back in {event.delay:.0f} s.")
                elif use.out.as_json:
                    use.out.text(to_text({"event": _name(event), **_plain(event)}))
                elif isinstance(event, events.ChatDelta):
                    use.out.text(event.text, end="")
                    is_empty = False
                elif isinstance(event, events.ChatToolCall):
                    use.out.note(f"… {event.name} {to_text(event.arguments)}")
                elif isinstance(event, events.ChatToolProgress):
                    use.out.progress(event.progress)
                elif isinstance(event, events.ChatToolResult) and event.is_error:
                    use.out.note(f"… it failed: {to_text(event.result)}")
    except asyncio.CancelledError:
        # Otherwise it would go on at the server, unread and paid for.
        await chat.stop()
        raise
    finally:
        if not is_empty:
            use.out.text("")
    if failed is not None:
        raise failed
    if not has_begun:
        use.out.note("No answer is running.")


def _plain(event: object) -> dict[str, object]:
    """An event as it is printed."""
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(event)
    return plain


def _name(event: object) -> str:
    from waypost.chat_events import EVENTS

    return next((name for name, kind in EVENTS.items() if type(event) is kind), type(event).__name__)
