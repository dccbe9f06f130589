"""`waypost pages`: HTML that is shown at an address."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from waypost.cli.options import Invocation, Secret, read_text, verb

WATCH_SECONDS = 0.5


@click.group()
def pages() -> None:
    """Publishes HTML pages, each for a day. The secret ID owns them: an unguessable text of your own, or @FILE."""


@pages.command("ls")
@click.argument("id", type=Secret())
@verb
async def list_(use: Invocation, id: str) -> None:
    """Lists the pages of ID."""
    async with use.client() as client:
        shown = client.pages(id)
        found = await shown.list()
        if use.out.as_json:
            use.out.result(found)
            return
        for info in found:
            use.out.text(f"{info.updated_at:%Y-%m-%d %H:%M}  {shown.url(info.intent_id)}  {info.title}")


@pages.command("put")
@click.argument("id", type=Secret())
@click.argument("file")
@click.option("--title", help="Its title.  [the one in the HTML]")
@click.option("--page", metavar="PAGE", help="The name of a page in its address; an existing one gets a new version.")
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
@click.option("--watch", is_flag=True, help="Publish again whenever FILE changes, until Ctrl-C.")
@verb
async def put(
    use: Invocation, id: str, file: str, title: str | None, page: str | None, show: bool, watch: bool
) -> None:
    """Publishes the HTML of FILE (- for stdin), and prints its address."""
    if watch and file == "-":
        raise click.UsageError("--watch needs a file.")
    async with use.client() as client:
        shown = client.pages(id)
        seen = _changed_at(file) if watch else None
        html = read_text(file)
        info = await shown.put(html, title=title or _title(html), intent_id=page)
        url = shown.url(info.intent_id)
        use.out.result({"page": info.intent_id, "url": url, "expiresAt": info.expires_at}, url)
        if show:
            click.launch(url)
        while watch:
            await asyncio.sleep(WATCH_SECONDS)
            # Editors replace a file: for a moment there is none.
            if (now := _changed_at(file)) is None or now == seen:
                continue
            seen, html = now, read_text(file)
            await shown.put(html, title=title or _title(html), intent_id=info.intent_id)
            use.out.note("Published again.")


@pages.command("rm")
@click.argument("id", type=Secret())
@click.argument("page")
@verb
async def remove(use: Invocation, id: str, page: str) -> None:
    """Deletes a page."""
    async with use.client() as client:
        await client.pages(id).delete(page)
    use.out.note(f"{page} is deleted.")


def _changed_at(file: str) -> int | None:
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return None


def _title(html: str) -> str | None:
    found = re.search(r"<title[^>]*>(.*?)</title>", html, re.IGNORECASE | re.DOTALL)
    return " ".join(found[1].split()) or None if found else None
