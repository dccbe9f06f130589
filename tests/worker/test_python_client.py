"""The Python client on the real Worker: both ends in Python, one end in JavaScript, and what `kill -9` leaves."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.cutting_proxy import CuttingProxy
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import ROOT
from waypost import AsyncWaypost, Call, Host, Retry, ToolError, Waypost

PROGRAMS = Path(__file__).parent / "python_client"
NODE = ROOT / "node_modules" / ".bin" / "node"
PATIENCE_SECONDS = 120
GOODBYE_SECONDS = 30
"""A third of what missed heartbeats would take."""
KILLS, CALLS = (10, 200) if os.environ.get("WAYPOST_SOAK") else (3, 40)
"""Kills of the host, and the calls among which they fall; the many with `make soak`."""

KINDS = pytest.mark.parametrize("kind", ["plain", "encrypted"])


class Program:
    """A program that prints a link in its first line."""

    def __init__(self, *command: str | Path, **variables: str) -> None:
        path = os.pathsep.join([str(ROOT / "clients/python/src"), os.environ.get("PYTHONPATH", "")])
        self.variables = os.environ | {"PYTHONPATH": path} | variables
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.variables
        )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()

    def end(self, with_signal: signal.Signals) -> int:
        """Ends it; its exit status."""
        self.process.send_signal(with_signal)
        status = self.process.wait(PATIENCE_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return status


@contextmanager
def python_host(worker: LocalWorker, folder: Path, **variables: str) -> Iterator[Program]:
    settings = {"WAYPOST_URL": worker.url, "RUNS": str(folder / "runs.txt")} | variables
    program = Program(sys.executable, PROGRAMS / "host.py", **settings)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.end(signal.SIGKILL)


def test_a_program_calls_the_tools_of_another_one(worker: LocalWorker, tmp_path: Path) -> None:
    with python_host(worker, tmp_path) as host, Waypost(worker.url) as waypost:
        guest = waypost.join(host.link)
        eventually(lambda: guest.info().host_online)
        seen: list[Any] = []
        assert guest.call("note", {"text": "Grüße"}, on_progress=seen.append) == "noted: Grüße"
        assert guest.call("add", {"a": 1, "b": 2}) == 3
        with pytest.raises(ToolError) as caught:
            guest.call("add", {"a": "1", "b": 2})
        assert (seen, caught.value.code) == ([{"progress": 1, "total": 2}], "invalid_arguments")
        pending = guest.submit("add", {"a": 2, "b": 2})
        assert pending.result() == 4
        chat = waypost.chat("thread", "python-client")
        assert "Hello" in chat.send("Hello").text()
        assert [message.role for message in chat.history().messages] == ["user", "assistant"]
        assert [thread.thread_id for thread in waypost.threads("python-client").list()] == ["thread"]
        waypost.documents("python-client").update("count", lambda count: count + 1, default=0)
        assert waypost.documents("python-client").get("count").value == 1
        assert host.end(signal.SIGTERM) == 0
        # It said goodbye.
        eventually(lambda: not guest.info().host_online, GOODBYE_SECONDS)


@pytest.mark.verify
def test_no_call_runs_twice_however_often_its_host_is_killed(worker: LocalWorker, tmp_path: Path) -> None:
    variables = {"KEEP": str(tmp_path / "host.db"), "NOTE_SECONDS": "0.2"}
    dice = random.Random(20260101)
    links: set[str] = set()

    def call(number: int) -> str:
        args = {"text": f"{number}"}
        try:
            return str(waypost.guest(code).call("note", args, id=f"call-{number}", timeout=PATIENCE_SECONDS))
        except ToolError as error:
            return error.code

    with Waypost(worker.url) as waypost, ThreadPoolExecutor(CALLS) as threads:
        with python_host(worker, tmp_path, **variables) as host:
            links.add(host.link)
            code = host.link.partition("join=")[2]
            results = [threads.submit(call, number) for number in range(CALLS)]
            runs = tmp_path / "runs.txt"
            eventually(lambda: runs.exists() and len(runs.read_text().splitlines()) >= dice.randint(1, CALLS // 4))
            host.end(signal.SIGKILL)
        for kill in range(1, KILLS + 1):
            with python_host(worker, tmp_path, **variables) as host:
                links.add(host.link)
                if kill < KILLS:
                    enough = min(CALLS, _lines(runs) + dice.randint(1, 8))
                    eventually(lambda enough=enough: _lines(runs) >= enough or all(each.done() for each in results))
                    host.end(signal.SIGKILL)
                else:
                    outcomes = Counter(each.result(PATIENCE_SECONDS).partition(":")[0] for each in results)
    ran = Counter(runs.read_text().splitlines())
    assert len(links) == 1, "the program goes on with its session"
    assert set(ran.values()) == {1}
    assert outcomes["noted"] + outcomes["interrupted"] == CALLS
    # One that was interrupted before its first line did nothing.
    assert outcomes["noted"] <= len(ran) <= CALLS


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.verify
def test_two_terminals_share_a_command_and_ctrl_c_takes_a_call_back(worker: LocalWorker, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "waypost.cli"]
    settings = {"WAYPOST_URL": worker.url, "WAYPOST_HOME": str(tmp_path / "home")}
    alive = tmp_path / "alive"
    # The file is there as long as the command runs.
    slow = f"slow=trap 'rm {alive}; exit 1' TERM; touch {alive}; sleep 600 & wait"
    tools = ["--tool", "upper=tr a-z A-Z", "--tool", slow]
    serve = Program(*command, "serve", "--new", *tools, **settings)
    try:
        done = subprocess.run(
            [*command, "call", serve.link, "upper", "text=Hello", "--json"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            env=serve.variables,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, '{"TEXT":"HELLO"}\n', "")
        call = subprocess.Popen(
            [*command, "call", serve.link, "slow"],
            env=serve.variables,
            # Where the tests run in the background of a shell, Ctrl-C is ignored, and that would be inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        eventually(alive.exists)
        call.send_signal(signal.SIGINT)
        assert call.wait(PATIENCE_SECONDS) == 130
        eventually(lambda: not alive.exists())
        code, status = serve.link, serve.end(signal.SIGTERM)
        assert status == 0
        # It goes on with the same code.
        serve = Program(*command, "serve", code, *tools, **settings)
        assert serve.link == code
    finally:
        serve.end(signal.SIGKILL)


@pytest.mark.verify
@KINDS
def test_an_agent_in_javascript_calls_a_host_in_python(worker: LocalWorker, tmp_path: Path, kind: str) -> None:
    encrypted = kind == "encrypted"
    variables = {"ENCRYPTED": "1"} if encrypted else {}
    with python_host(worker, tmp_path, **variables) as host:
        command = [str(NODE), str(PROGRAMS / "agent.mjs"), host.link]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "noted": "noted: Grüße \U0001f600",
        "sum": 3,
        "failed": {"code": "invalid_arguments", "authenticated": encrypted},
        "progress": [{"progress": 1, "total": 2}],
        "encrypted": encrypted,
        "names": ["note", "add"],
    }


@pytest.mark.verify
@KINDS
def test_a_program_in_python_calls_a_host_in_javascript(worker: LocalWorker, kind: str) -> None:
    tab = Program(NODE, PROGRAMS / "tab.mjs", worker.url, kind)
    try:
        with Waypost(worker.url) as waypost:
            guest = waypost.join(tab.link)
            assert guest.encrypted is guest.info().encrypted is (kind == "encrypted")
            seen: list[Any] = []
            result = guest.call("steps", {"count": 3}, on_progress=seen.append)
            assert result == {"text": "Grüße \U0001f600", "big": [1.5, None, True]}
            # Of reports that wait, the last one is sent.
            assert seen
            assert seen == sorted(seen, key=lambda report: report["progress"])
            with pytest.raises(ToolError, match="No more.") as caught:
                guest.call("fail")
            assert (caught.value.data, caught.value.authenticated) == ({"left": 0}, kind == "encrypted")
    finally:
        tab.end(signal.SIGKILL)


@pytest.mark.verify
def test_calls_over_connections_that_break_are_answered_and_run_once(worker: LocalWorker) -> None:
    runs: Counter[str] = Counter()

    async def story() -> int:
        with CuttingProxy(worker.port) as proxy:
            async with AsyncWaypost(proxy.url, retry=Retry(max_elapsed=PATIENCE_SECONDS)) as waypost:
                session = await waypost.open_session(encrypted=True)
                host = Host()

                @host.tool
                async def double(n: int, call: Call) -> int:
                    runs[call.id] += 1
                    call.progress({"progress": 1})
                    await asyncio.sleep(0.05)
                    return 2 * n

                async with host.running(session):
                    guest = await waypost.join(session.link)
                    for batch in range(4):
                        numbers = range(5 * batch, 5 * batch + 5)
                        listen = (lambda _report: None) if batch % 2 else None
                        calls = [guest.call("double", {"n": n}, id=f"call-{n}", on_progress=listen) for n in numbers]
                        assert await asyncio.gather(*calls) == [2 * n for n in numbers]
            return proxy.cuts

    cuts = asyncio.run(asyncio.wait_for(story(), 3 * PATIENCE_SECONDS))
    assert cuts > 0
    assert (len(runs), set(runs.values())) == (20, {1})
