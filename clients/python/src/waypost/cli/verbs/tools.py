"""`waypost tools`: what a session offers."""

from __future__ import annotations

from typing import Any

import click

from waypost.cli.options import Invocation, Secret, verb
from waypost.cli.output import to_text


@click.command()
@click.argument("code", type=Secret())
@verb
async def tools(use: Invocation, code: str) -> None:
    """Lists the tools of the session CODE, with their arguments."""
    async with use.client(code) as client:
        info = await (await use.join(client, code)).info()
    if use.out.as_json:
        use.out.result(info.tools)
        return
    if not info.host_online:
        use.out.note("No tab and no program has this session open now; these are the tools that it offered last.")
    if not info.tools:
        use.out.note("It offers no tools.")
    for tool in info.tools:
        use.out.text(f"{tool.name} {usage(tool.input_schema or {})}".rstrip())
        if tool.description:
            use.out.text("    " + " ".join(tool.description.split()))


def usage(schema: dict[str, Any]) -> str:
    """The arguments of a tool as `call` takes them; those in brackets may be left out."""
    properties = schema.get("properties")
    required = schema.get("required") or []
    if not isinstance(properties, dict):
        return ""
    words = []
    for name, member in properties.items():
        kind = member.get("type") if isinstance(member, dict) else None
        word = f"{name}={kind}" if kind == "string" else f"{name}:={kind if isinstance(kind, str) else 'JSON'}"
        choices = member.get("enum") if isinstance(member, dict) else None
        if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
            word = f"{name}={'|'.join(choices)}"
        elif isinstance(choices, list):
            word = f"{name}:={'|'.join(to_text(choice) for choice in choices)}"
        words.append(word if name in required else f"[{word}]")
    return " ".join(words)
