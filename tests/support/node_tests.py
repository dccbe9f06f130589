"""Tests that are written in JavaScript, because what they hold against the Worker is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools.local.local_worker import ROOT

NODE = ROOT / "node_modules" / ".bin" / "node"
PATIENCE_SECONDS = 300


def run_node_tests(path: Path, patience_seconds: int = PATIENCE_SECONDS, **variables: str) -> None:
    """Run the tests of a file with the project's Node; fails with what they print."""
    done = subprocess.run(
        [NODE, "--test", path],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=patience_seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")
