"""`waypost export` and `waypost import`: a thread's messages in a file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from waypost.cli.options import Invocation, read_text, verb

FORMATS: dict[str, Literal["json", "jsonl", "markdown"]] = {"jsonl": "jsonl", "json": "json", "md": "markdown"}


@click.command()
@click.argument("thread")
@click.option("--resource", help="Whose thread it is.  [the thread's own id]")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="jsonl", help="  [jsonl]")
@click.option("-o", "--output", metavar="FILE", help="Write to this file.  [stdout]")
@verb
async def export(use: Invocation, thread: str, resource: str | None, format_: str, output: str | None) -> None:
    """Writes the messages of THREAD to a file. `waypost import` reads jsonl."""
    async with use.client() as client:
        text = await client.chat(thread, resource).export(FORMATS["json" if use.out.as_json else format_])
    if output is None or output == "-":
        use.out.raw(text)
    else:
        _write(Path(output), text)
        use.out.note(f"{output} has {len(text.encode())} bytes.")


@click.command(name="import")
@click.argument("thread")
@click.argument("file")
@click.option("--resource", help="Whose thread it is.  [the thread's own id]")
@click.option("--replace", is_flag=True, help="Replace the messages that the thread has.")
@verb
async def import_(use: Invocation, thread: str, file: str, resource: str | None, replace: bool) -> None:
    """Reads the messages of THREAD from FILE (- for stdin), an export in the format jsonl."""
    lines = read_text(file)
    async with use.client() as client:
        begun = await client.threads(resource or thread).begin(thread)
        conversation = client.conversation(begun.session_id)
        if not replace and (await conversation.messages(limit=1)).messages:
            raise click.UsageError(f"{thread} has messages, which an import replaces: add --replace to do that.")
        history = await conversation.replace(lines)
    count = len(history.messages)
    use.out.result({"threadId": thread, "messageCount": count}, f"{thread} has {count} messages.")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
