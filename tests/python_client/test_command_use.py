"""The command itself: what it loads, completion, and that wrong use gets a sentence and no traceback."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.client import make_client
from tests.support.docs import ROOT
from tests.support.python_client import python_client
from tests.support.python_command import Command, Done
from waypost.cli.commands import VERBS
from waypost.cli.running import run
from waypost.cli.server import Server

SOURCE = ROOT / "clients/python/src"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WAYPOST_APP_KEY", "WAYPOST_PROFILE", "WAYPOST_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path))
    return tmp_path


def process(*arguments: str, code: str = "from waypost.cli.entry import main; main()", **options: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(SOURCE)} | options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_help_loads_neither_the_client_nor_asyncio_tools() -> None:
    program = (
        "import sys\nfrom waypost.cli.running import run\nrun(['--help'])\n"
        "print([name for name in ('httpx2', 'msgspec', 'waypost.host', 'sqlite3') if name in sys.modules])"
    )
    helped = process(code=program)
    assert helped.out.splitlines()[-1] == "[]"
    assert all(name in helped.out for name in VERBS)


def test_the_library_does_not_load_the_command() -> None:
    program = "import sys, waypost\nwaypost.AsyncWaypost, waypost.Host\nprint('click' in sys.modules)"
    assert process(code=program).out == "False\n"


def test_without_its_package_it_says_what_to_install() -> None:
    program = "import sys\nsys.modules['click'] = None\nfrom waypost.cli.entry import main\nmain()"
    assert process(code=program) == (1, "", "The command needs one more package: pip install 'waypost[cli]'\n")


def test_a_pipe_that_closes_ends_it_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "waypost.cli", "mcp", "K7Q2M9XA", "--url", "https://waypost.test"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_completion_that_knows_the_verbs(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_WAYPOST_COMPLETE" in capsys.readouterr().out


def test_completion_offers_verbs_and_options() -> None:
    asked = {"_WAYPOST_COMPLETE": "bash_complete", "COMP_WORDS": "waypost ca", "COMP_CWORD": "1"}
    assert process(**asked).out == "plain,call\n"
    asked |= {"COMP_WORDS": "waypost call --ti", "COMP_CWORD": "2"}
    assert process(**asked).out == "plain,--timeout\n"


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: waypost {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("cal X y", "Did you mean call?"),
        ("zzz", "waypost --help lists"),
        ("call", "Missing argument 'CODE'"),
        ("call X y", "Which server?"),
        ("call X y --url nowhere", "is no address of a server"),
        ("call @/nowhere y", "/nowhere can't be read: No such file"),
        ("call @- y", "It is empty."),
        ("call https://a.test/#key=x y", "This link has no session's code."),
        ("call X y a --url https://a.test", "write name=text"),
        ("call X y --timeout soon --url https://a.test", "write 90, 90s, 15m or 1h"),
        ("serve --tool a=b", "Which session?"),
        ("serve X --new --tool a=b", "Which session?"),
        ("serve --new", "What to offer?"),
        ("serve --new --tool a", "write name=COMMAND"),
        ("serve --new --tool =a", "write name=COMMAND"),
        ("serve --new --tool a!=b", "needs a name of 1 to 128 characters"),
        ("serve --new --tool a=b --approve ask", "needs a terminal"),
        ("serve --new --tools /nowhere", "can't be read"),
        ("serve ../x --tool a=b", "was not opened"),
        ("listen --new --forward localhost:3000", "is no address"),
        ("chat T", "Give a text, or -"),
        ("chat T -", "The question is empty."),
        ("chat T hello --stop", "Choose one"),
        ("chat T hello --profile work", "has no profile 'work'"),
        ("docs put ID n /nowhere", "can't be read"),
        ("docs put ID n -", "stdin is no JSON"),
        ("docs put ID n - --new --if-match x", "Choose one"),
        ("pages put ID - --watch", "--watch needs a file"),
        ("mcp https://a.test/#join=X&key=y", "can't use an encrypted session"),
    ],
)
def test_wrong_use_gets_a_sentence(line: str, why: str) -> None:
    async def story() -> Done:
        _client, transport = python_client(make_client())
        return await Command(transport)(*line.split())

    done = asyncio.run(story())
    assert (done.code, done.out) == (2, "")
    assert why in " ".join(done.err.split())
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("tools = 1", "has no tools"),
        ("[tools", "is no TOML"),
        ("[tools.a]", 'needs command = "…"'),
        ('[tools.a]\ncommand = "x"\ndescripton = "y"', "but no descripton"),
        ('[tools.a]\ncommand = "x"\nargs = ["y"]', "args says what each argument is"),
    ],
)
def test_a_wrong_file_of_tools_gets_a_sentence(
    home: Path, content: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "tools.toml").write_text(content)
    assert run(["serve", "--new", "--tools", str(home / "tools.toml"), "--url", "https://a.test"]) == 2
    assert why in capsys.readouterr().err


def test_a_fault_of_its_own_is_named_and_verbose_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_server: Server) -> None:
        raise ZeroDivisionError("a fault")

    arguments = ["threads", "user", "--url", "https://a.test"]
    assert run(arguments, broken) == 1  # type: ignore[arg-type]
    assert "ZeroDivisionError: a fault" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        run([*arguments, "-v"], broken)  # type: ignore[arg-type]
