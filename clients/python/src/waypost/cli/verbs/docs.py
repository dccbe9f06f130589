"""`waypost docs`: the JSON documents of a session id."""

from __future__ import annotations

import json
from typing import Any

import click

from waypost.cli.arguments import parse_json
from waypost.cli.options import Invocation, Secret, read_text, verb


@click.group()
def docs() -> None:
    """Reads and writes the JSON documents that the secret ID owns: a thread's session id, or an unguessable text of
    your own. ID may be @FILE."""


@docs.command("ls")
@click.argument("id", type=Secret())
@verb
async def list_(use: Invocation, id: str) -> None:
    """Lists the documents of ID."""
    async with use.client() as client:
        found = await client.documents(id).list()
    if use.out.as_json:
        use.out.result(found)
        return
    for info in found:
        use.out.text(f"{info.updated_at:%Y-%m-%d %H:%M}  {info.size:>8}  {info.name}")


@docs.command("get")
@click.argument("id", type=Secret())
@click.argument("name")
@verb
async def get(use: Invocation, id: str, name: str) -> None:
    """Prints the document NAME, as it was put. With --json, also its etag."""
    async with use.client() as client:
        document = await client.documents(id).get(name)
    use.out.result({"name": name, "etag": document.etag, "value": document.value}, document.text)


@docs.command("put")
@click.argument("id", type=Secret())
@click.argument("name")
@click.argument("file")
@click.option("--if-match", metavar="ETAG", help="Only if the document still is this version.")
@click.option("--new", is_flag=True, help="Only if there is none of this name.")
@verb
async def put(use: Invocation, id: str, name: str, file: str, if_match: str | None, new: bool) -> None:
    """Stores the JSON of FILE (- for stdin) as the document NAME."""
    if if_match and new:
        raise click.UsageError("Choose one: --if-match or --new.")
    value = parse_json(read_text(file), "stdin" if file == "-" else file)
    async with use.client() as client:
        stored = await client.documents(id).put(name, value, if_match=_quoted(if_match), only_new=new)
    use.out.result(stored, stored.etag.strip('"'))


@docs.command("edit")
@click.argument("id", type=Secret())
@click.argument("name")
@verb
async def edit(use: Invocation, id: str, name: str) -> None:
    """Opens the document NAME in $VISUAL or $EDITOR, and stores what was changed, unless somebody else was faster."""
    from waypost.errors import NotFound, PreconditionFailed

    async with use.client() as client:
        documents = client.documents(id)
        try:
            found = await documents.get(name)
            text, etag = _laid_out(found.value), found.etag
        except NotFound:
            text, etag = "{}\n", None
        changed = click.edit(text, extension=".json")
        if changed is None or changed == text:
            use.out.note("Nothing was changed.")
            return
        try:
            value = parse_json(changed, "What you wrote")
            stored = await documents.put(name, value, if_match=etag, only_new=etag is None)
        except (click.UsageError, PreconditionFailed):
            # The work of a person is not thrown away.
            use.out.note(f"Not stored. You wrote:\n{changed}")
            raise
    use.out.result(stored, stored.etag.strip('"'))


@docs.command("rm")
@click.argument("id", type=Secret())
@click.argument("name")
@click.option("--if-match", metavar="ETAG", help="Only if the document still is this version.")
@verb
async def remove(use: Invocation, id: str, name: str, if_match: str | None) -> None:
    """Deletes the document NAME."""
    async with use.client() as client:
        await client.documents(id).delete(name, if_match=_quoted(if_match))
    use.out.note(f"{name} is deleted.")


def _quoted(etag: str | None) -> str | None:
    """An etag as HTTP has it: its quotes are lost where a shell reads it."""
    return etag if etag is None or etag.endswith('"') else f'"{etag}"'


def _laid_out(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
