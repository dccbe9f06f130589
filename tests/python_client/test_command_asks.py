"""`--approve`: the question on the terminal, and what its answers mean."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

import click
import pytest

from waypost import Question
from waypost.cli.asking import Asker, approver_of
from waypost.cli.output import Output


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where what the person types is written to."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writing
    os.close(writing)


def question(tool: str = "pay", *, restarted: bool = False) -> Question:
    return Question("id", tool, {"amount": 1}, "", restarted=restarted)


@pytest.mark.parametrize(
    ("typed", "decision"),
    [("y\n", "once"), ("YES\r\n", "once"), ("a\n", "always"), ("n\n", "refuse"), ("\n", "refuse"), ("yy\n", "refuse")],
)
def test_only_yes_and_always_let_a_call_run(
    typing: int, typed: str, decision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.write(typing, typed.encode())
    assert asyncio.run(Asker().ask(question(restarted=True))) == decision
    assert 'pay {"amount":1} It may have run before.' in capsys.readouterr().err


def test_always_is_of_one_tool(typing: int) -> None:
    async def story() -> list[object]:
        asker = Asker()
        os.write(typing, b"a\n")
        said: list[object] = [await asker.ask(question()), await asker.ask(question())]
        os.write(typing, b"n\n")
        return [*said, await asker.ask(question("other"))]

    assert asyncio.run(story()) == ["always", "always", "refuse"]


def test_a_question_whose_call_is_taken_back_leaves_the_answer_to_the_next_one(
    typing: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        asker = Asker()
        first = asyncio.ensure_future(asker.ask(question()))
        second = asyncio.ensure_future(asker.ask(question("other")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # One at a time.
        assert "other" not in capsys.readouterr().err
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        os.write(typing, b"y\n")
        assert await second == "once"

    asyncio.run(story())


def test_the_end_of_the_terminal_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(click.UsageError, match="needs a terminal"):
            approver_of("ask")
    assert approver_of("never") is None


def test_progress_shows_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    for report in ({"progress": 0, "message": "Waiting."}, {"progress": 1, "total": 2}, {"rows": 3}, "text"):
        Output().progress(report)
    Output(as_json=True).progress({"progress": 1})
    Output(quiet=True).progress("unseen")
    shown = ["… Waiting.", "… 1/2", '… {"rows":3}', "… text", '{"progress":{"progress":1}}']
    assert capsys.readouterr().err.splitlines() == shown
