"""`waypost threads`: the threads of a resource."""

from __future__ import annotations

import click

from waypost.cli.options import Invocation, verb


@click.command()
@click.argument("resource")
@click.option("--archived", is_flag=True, help="List those that are archived.")
@click.option("--limit", type=click.IntRange(1), help="List so many at most.")
@verb
async def threads(use: Invocation, resource: str, archived: bool, limit: int | None) -> None:
    """Lists the threads of RESOURCE (an app's user), the last used first. With --json, one document for each."""
    count = 0
    async with use.client() as client:
        page_size = None if limit is None else min(limit, 100)
        async for thread in client.threads(resource).list(archived=archived, page_size=page_size):
            name = f"  {thread.title}" if thread.title else ""
            use.out.result(thread, f"{thread.updated_at:%Y-%m-%d %H:%M}  {thread.thread_id}{name}")
            count += 1
            if count == limit:
                break
    if not count:
        use.out.note("There are none.")
