"""The probe as people run it, against workerd: one isolate, two isolates, and Ctrl-C in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.http_api import new_address
from tools.local.harness.two_isolates import TwoIsolates
from tools.local.local_worker import ROOT

PATIENCE_SECONDS = 120.0


def start(url: str, *words: str, **headers: str) -> subprocess.Popen[str]:
    """The probe, from an address that no other test has: in the end it is locked out for a minute."""
    fields = {"CF-Connecting-IP": new_address()} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [word for name, value in fields.items() for word in ("--header", f"{name}: {value}")]
    return subprocess.Popen(
        [sys.executable, "-m", "tools.probe", url, *lines, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "src"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def probed(url: str, file: Path, **headers: str) -> tuple[dict[str, Any], str]:
    """What a quick run wrote as JSON, and what it printed."""
    with start(url, "--quick", "--json", str(file), **headers) as probe:
        output, errors = probe.communicate(timeout=PATIENCE_SECONDS)
    assert probe.returncode == 0, output + errors
    return json.loads(file.read_text()), output


def test_two_isolates_are_told_apart(two_isolates: TwoIsolates, tmp_path: Path) -> None:
    found, output = probed(two_isolates.url, tmp_path / "found.json")
    assert len(found["isolates"]) == 2
    assert 0 < found["pairs_met"] < found["pairs"]
    assert {call["met"] for call in found["delivery"]["delivered"]} == {True, False}
    assert found["delivery"]["lost"] == 0
    assert "in two isolates" in output
    # Where a minute ends between two of them, the budget begins again.
    assert found["guesses"]["refused_after"] >= 10
    assert found["left"] == 0


def test_one_isolate_is_met_each_time(two_isolates: TwoIsolates, tmp_path: Path) -> None:
    found, _ = probed(two_isolates.url, tmp_path / "found.json", X_Isolate="b")
    assert len(found["isolates"]) == 1
    assert found["pairs_met"] == found["pairs"] > 0
    assert {call["met"] for call in found["delivery"]["delivered"]} == {True}
    assert None not in found["visibility"]["new_listed"]


def test_ctrl_c_deletes_what_was_made(two_isolates: TwoIsolates) -> None:
    # It would wait for a quarter of an hour, until a stream ends.
    with start(two_isolates.url, "--quick", "--long", "--yes") as probe:
        assert probe.stderr is not None
        try:
            for line in probe.stderr:
                if "delivery" in line:
                    break
            # From a terminal and from npm it comes twice.
            probe.send_signal(signal.SIGINT)
            probe.send_signal(signal.SIGINT)
            _, errors = probe.communicate(timeout=PATIENCE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                probe.kill()
    assert probe.returncode == 130, errors
    made = int(errors.split("Stopped. The ")[1].split()[0])
    assert made >= 3
    assert f"The {made} sessions and documents it had made are deleted." in errors
