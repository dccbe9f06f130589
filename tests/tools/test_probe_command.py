"""The command `make probe`: its words, and what it says without a deployment or without a person."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys

import pytest

from tools.local.local_worker import ROOT
from tools.probe.__main__ import Stop, arguments_of, confirm, headers_of, scale_of
from tools.probe.scale import FULL, QUICK


def test_the_scale_is_what_the_command_line_says() -> None:
    assert scale_of(arguments_of(["https://a.example"])) == FULL
    assert scale_of(arguments_of(["https://a.example", "--quick"])) == QUICK
    assert scale_of(arguments_of(["https://a.example", "--long"])).is_long
    assert scale_of(arguments_of(["https://a.example", "--times", "3"])).documents == 3 * FULL.documents


def test_header_fields_are_sent_as_they_are_given() -> None:
    assert headers_of(["CF-Access-Client-Id: a:b", "X:y"]) == {"CF-Access-Client-Id": "a:b", "X": "y"}


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_person_nothing_is_spent(capsys: pytest.CaptureFixture[str]) -> None:
    assert confirm("It costs. Go on?", io.StringIO("y\n")) is False
    assert capsys.readouterr().err == "It costs. Go on? There is nobody to ask: say so with YES=1.\n"


@pytest.mark.parametrize(
    ("typed", "is_yes"), [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False), ("", False)]
)
def test_only_a_yes_is_a_yes(typed: str, is_yes: bool) -> None:
    assert confirm("It costs. Go on?", Keyboard(typed)) is is_yes


async def test_a_second_ctrl_c_does_not_end_the_deleting() -> None:
    deleted = []

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            deleted.append(True)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(1)
    stop = Stop(task)  # type: ignore[arg-type]
    stop()
    await asyncio.sleep(0.5)
    stop()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert deleted == [True]


@pytest.mark.parametrize(
    ("words", "said"),
    [([""], "Name the deployment: make probe URL=https://"), (["localhost:9"], "is no address of a deployment")],
)
def test_what_is_wrong_with_an_address_is_one_sentence(words: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.probe", *words],
        cwd=ROOT,
        env={"PYTHONPATH": "src"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
