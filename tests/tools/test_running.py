"""How a process is found to run, to respond, or to be gone."""

from __future__ import annotations

import subprocess
import sys

from tools.local.running import answers, living


def test_a_process_that_has_ended_does_not_count_as_living() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as process:
        assert living(process.pid) == [process.pid]
        assert process.stdin is not None
        process.stdin.close()
        process.wait()

        assert living(process.pid) == []


def test_a_closed_port_does_not_answer() -> None:
    assert not answers("http://127.0.0.1:9/health")
