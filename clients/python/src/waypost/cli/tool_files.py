"""Which commands `waypost serve` offers: `--tool name=COMMAND`, and the file of `--tools`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import click

from waypost.cli.command_tools import command_tool
from waypost.cli.options import read_text

if TYPE_CHECKING:
    from waypost.host.host import Host

_FIELDS = {"command", "title", "description", "args", "input_schema", "read_only", "rerun"}


def offer_commands(host: Host, words: tuple[str, ...], path: str | None) -> None:
    """Offers the commands. Raises `click.UsageError`, `ConfigError`."""
    for name, entry in (_read(path) if path else {}).items():
        _offer(host, name, entry, f"{path}: [tools.{name}]")
    for word in words:
        name, equals, command = word.partition("=")
        if not equals or not name or not command.strip():
            raise click.UsageError(f"--tool {word!r}: write name=COMMAND.")
        # The command is not its description: guests would read what is in it.
        _offer(host, name, {"command": command}, f"--tool {name}")


def _read(path: str) -> dict[str, Any]:
    try:
        tools = tomllib.loads(read_text(path)).get("tools")
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{path} is no TOML: {error}") from error
    if not isinstance(tools, dict) or not all(isinstance(entry, dict) for entry in tools.values()):
        raise click.UsageError(f'{path} has no tools: write [tools.NAME] and command = "…".')
    return tools


def _offer(host: Host, name: str, entry: dict[str, Any], where: str) -> None:
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise click.UsageError(f"{where} has {', '.join(sorted(_FIELDS))}, but no {unknown[0]}.")
    if not isinstance(entry.get("command"), str):
        raise click.UsageError(f'{where} needs command = "…".')
    arguments = entry.get("args")
    if arguments is not None and not (
        isinstance(arguments, dict) and all(isinstance(text, str) for text in arguments.values())
    ):
        raise click.UsageError(f'{where}: args says what each argument is: args = {{text = "What to write"}}.')
    schema = entry.get("input_schema") or _schema(arguments or {})
    host.tool(
        name=name,
        title=entry.get("title"),
        description=entry.get("description"),
        input_schema=schema,
        read_only=entry.get("read_only"),
        rerun=entry.get("rerun"),
    )(command_tool(entry["command"], list(arguments or {})))


def _schema(arguments: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in arguments.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return schema | ({"required": list(arguments)} if arguments else {})
