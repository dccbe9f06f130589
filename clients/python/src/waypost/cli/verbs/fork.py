"""`waypost fork`: another thread with the same history."""

from __future__ import annotations

import click

from waypost.cli.options import Invocation, verb


@click.command()
@click.argument("thread")
@click.argument("new_thread")
@click.option("--resource", help="Whose thread it is.  [the thread's own id]")
@click.option("--at", "at_message_id", metavar="MESSAGE", help="Take over what is up to this message.")
@verb
async def fork(use: Invocation, thread: str, new_thread: str, resource: str | None, at_message_id: str | None) -> None:
    """Begins NEW_THREAD with the history of THREAD, which does not change."""
    async with use.client() as client:
        chat = await client.chat(thread, resource).fork(new_thread, at_message_id=at_message_id)
    use.out.result({"threadId": chat.thread_id, "resourceId": chat.resource_id}, chat.thread_id)
