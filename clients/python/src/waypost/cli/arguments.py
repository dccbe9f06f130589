"""Arguments of a tool, as people write them on a command line: `name=text`, `name:=JSON`, `name=@FILE`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import click

from waypost.cli.options import read_text

_WORD = re.compile(r"(.+?)(:?=)(.*)", re.DOTALL)


def read_arguments(words: Iterable[str], whole: str | None) -> dict[str, Any]:
    """The arguments that `words` and `whole` (JSON, `@FILE`, `-`) say together.

    Raises:
        click.UsageError: one is not to be understood, or is there twice.
    """
    read = _read_whole(whole) if whole is not None else {}
    named: dict[str, Any] = {}
    for word in words:
        found = _WORD.fullmatch(word)
        if found is None:
            raise click.UsageError(
                f"{word!r} is no argument of a tool: write name=text, or name:=JSON for numbers, lists and the rest."
            )
        name, kind, value = found.groups()
        if name in named:
            raise click.UsageError(f"The argument {name!r} is there twice.")
        text = read_text(value[1:]) if value.startswith("@") else value
        named[name] = text if kind == "=" else parse_json(text, f"The argument {name!r}")
    return read | named


def _read_whole(whole: str) -> dict[str, Any]:
    text = read_text("-") if whole == "-" else read_text(whole[1:]) if whole.startswith("@") else whole
    value = parse_json(text, "--args")
    if not isinstance(value, dict):
        raise click.UsageError('--args is an object, such as {"name": "value"}.')
    return value


def parse_json(text: str, what: str) -> Any:
    """The value of a JSON text. Raises `click.UsageError` with the place of what is wrong."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number in JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise click.UsageError(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise click.UsageError(f"{what} is no JSON: {error}") from error
