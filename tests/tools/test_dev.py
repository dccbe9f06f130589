"""`make dev` says one line when it is ready, shows what matters afterwards and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ipv6 import needs_ipv6
from tools.local.dev import first_lines, is_alive, is_worth_showing, unset
from tools.local.harness.worker import free_port
from tools.local.local_worker import ROOT
from tools.local.running import living

SECONDS = 180.0


@pytest.mark.parametrize(
    "line",
    [
        "✘ [ERROR] Uncaught PythonError: Traceback\n",
        "  ValueError: boom\n",
        "[wrangler:info] GET /health 503 Service Unavailable (3ms)\n",
        "[wrangler:info] GET /api/poll 200 OK (3ms)\n",
        "⎔ Reloading local server...\n",
    ],
)
def test_errors_and_requests_are_shown(line: str) -> None:
    assert is_worth_showing(line)


@pytest.mark.parametrize(
    "line",
    [
        "\n",
        "│ waypost_worker/app.py  │ python │ 4.72 KiB   │\n",
        "├─────────────────┼────────┼────────────┤\n",
        "Attaching additional modules:\n",
        "[wrangler:info] Ready on http://127.0.0.1:8787\n",
        "[wrangler:info] GET /health 200 OK (2205ms)\n",
    ],
)
def test_tables_of_modules_and_our_own_question_are_not(line: str) -> None:
    assert not is_worth_showing(line)


def test_where_other_devices_find_it_is_the_second_line() -> None:
    url, network = "http://localhost:8787", "http://192.0.2.7:8787"
    first = "Waypost is running on http://localhost:8787 (Ctrl-C stops it)\n"
    assert first_lines(url, None) == first
    second = "In your network: http://192.0.2.7:8787 (everyone in it can open this)\n"
    assert first_lines(url, network) == first + second


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "abc", "8787.5"])
def test_a_port_that_is_none_is_one_sentence(port: str) -> None:
    command = [sys.executable, "-m", "tools.local.dev", f"--port={port}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)

    assert done.returncode == 2
    assert f"a port is a number from 1 to 65535, not '{port}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_is_alive_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_alive(process.pid)
        process.communicate()

    assert not is_alive(process.pid)


@contextmanager
def dev(port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tools.local.dev", "--port", str(port), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


def guard_of(process: subprocess.Popen[str]) -> int:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    (guard,) = [int(pid) for pid, parent in rows if int(parent) == process.pid]
    return guard


@pytest.mark.worker
@pytest.mark.verify
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_line_is_the_address_and_a_signal_ends_everything(number: signal.Signals) -> None:
    port = free_port()
    with dev(port) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(rf"Waypost is running on http://localhost:{port} \(Ctrl-C stops it\)\n", line)
        guard = guard_of(process)

        process.send_signal(number)

        assert process.wait(SECONDS) == 0
        assert living(guard) == []


@pytest.mark.worker
@pytest.mark.verify
def test_a_ctrl_c_that_arrives_twice_ends_everything() -> None:
    # From the terminal, and from npm, which passes it on.
    with dev(free_port()) as process:
        assert process.stdout is not None
        process.stdout.readline()
        guard = guard_of(process)

        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)

        assert process.wait(SECONDS) == 0
        assert living(guard) == []


@pytest.mark.worker
@pytest.mark.verify
def test_the_end_of_its_owner_ends_everything() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner,
        dev(free_port(), "--owner", str(owner.pid)) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        guard = guard_of(process)
        owner.communicate()

        assert process.wait(SECONDS) == 0
        assert living(guard) == []


@pytest.mark.worker
@pytest.mark.verify
@needs_ipv6
def test_localhost_is_served_by_both_of_its_addresses() -> None:
    port = free_port()
    with dev(port) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for host in ("127.0.0.1", "[::1]"):
            with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=SECONDS) as reply:
                assert reply.status == 200
        # The page that the error of a call names is reached by the same name.
        request = urllib.request.Request(
            f"http://[::1]:{port}/api/sessions", b"{}", {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
            code = json.load(reply)["code"]
        with urllib.request.urlopen(f"http://[::1]:{port}/api/sessions/{code}", timeout=SECONDS) as reply:
            assert json.load(reply)["code"] == code


@needs_ipv6
def test_a_port_that_is_taken_on_the_other_address_is_one_sentence() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with dev(port) as process:
            output, _ = process.communicate(timeout=SECONDS)

    assert output.startswith(f"Port {port} of ::1 is taken, so localhost leads some clients to another program;")
    assert process.returncode == 1


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with dev(taken.getsockname()[1]) as process:
            output, _ = process.communicate(timeout=SECONDS)

    assert re.fullmatch(r"Port \d+ of 127\.0\.0\.1 is taken; choose another one: make dev PORT=9000\n", output)
    assert process.returncode == 1


@pytest.mark.parametrize("line", ["PLAN=free", "PLAN = 'free'", "export PLAN=free", "X=1\n  PLAN=free"])
def test_what_dev_vars_sets_is_not_overridden(tmp_path: Path, line: str) -> None:
    (tmp_path / ".dev.vars").write_text(f"{line}\n")
    assert unset({"PLAN": "paid"}, tmp_path / ".dev.vars") == {}


def test_what_dev_vars_does_not_set_is_that_of_local_runs(tmp_path: Path) -> None:
    assert unset({"PLAN": "paid"}, tmp_path / ".dev.vars") == {"PLAN": "paid"}
    (tmp_path / ".dev.vars").write_text("SIGNING_KEY=PLAN=1\n# PLAN=free\nPLANS=free\n")
    assert unset({"PLAN": "paid"}, tmp_path / ".dev.vars") == {"PLAN": "paid"}
