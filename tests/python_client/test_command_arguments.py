"""What the command reads from its arguments, and how it shows what others have written."""

from __future__ import annotations

import io

import click
import pytest

from waypost.cli.arguments import read_arguments
from waypost.cli.durations import Duration
from waypost.cli.output import printable
from waypost.cli.verbs.tools import usage


@pytest.mark.parametrize(
    ("words", "whole", "read"),
    [
        (["a=1", "b:=1", "c=", "d=x=y:=z"], None, {"a": "1", "b": 1, "c": "", "d": "x=y:=z"}),
        (["a:=[1]"], '{"a": 2, "b": 3}', {"a": [1], "b": 3}),
        ([], None, {}),
    ],
)
def test_arguments_are_read(words: list[str], whole: str | None, read: dict[str, object]) -> None:
    assert read_arguments(words, whole) == read


@pytest.mark.parametrize(
    ("words", "whole", "why"),
    [
        (["nothing"], None, "write name=text"),
        (["=x"], None, "write name=text"),
        (["a=1", "a=2"], None, "twice"),
        (["a:=yes"], None, "is no JSON"),
        (["a:=NaN"], None, "NaN is no number"),
        (["a:=" + "[" * 100_000], None, "nested too deeply"),
        ([], "[1]", "is an object"),
        (["a=@/nowhere/file"], None, "can't be read: No such file"),
    ],
)
def test_arguments_that_are_wrong_say_what_is(words: list[str], whole: str | None, why: str) -> None:
    with pytest.raises(click.UsageError, match=why):
        read_arguments(words, whole)


def test_times_have_units() -> None:
    read = Duration().convert
    assert [read(text, None, None) for text in ("90", "1.5s", "15m", "1h", "1d", 3)] == [90, 1.5, 900, 3600, 86400, 3]
    for wrong in ("", "1w", "-1", "0", "soon"):
        with pytest.raises(click.BadParameter, match="is no time"):
            read(wrong, None, None)


def test_a_terminal_gets_no_control_characters_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, text = io.StringIO(), "a\x1b]0;title\x07\tb\n\u202ec"
    assert printable(text, screen) == text
    monkeypatch.setattr(screen, "isatty", lambda: True)
    assert printable(text, screen) == "a\\x1b]0;title\\x07\tb\n\\x202ec"


def test_usage_shows_choices_and_what_has_no_single_type() -> None:
    schema = {
        "properties": {"a": {"enum": ["x", "y"]}, "b": {"enum": [1, None]}, "c": {}, "d": True},
        "required": ["a"],
    }
    assert usage(schema) == "a=x|y [b:=1|null] [c:=JSON] [d:=JSON]"
    assert usage({}) == ""
