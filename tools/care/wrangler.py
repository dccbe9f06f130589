"""The installed wrangler, for what only it should do: secrets, whose values never stand on a command line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence

from tools.care.problem import CareError
from tools.local.local_worker import ROOT, search_path

Run = Callable[[Sequence[str], str | None], str]
"""Runs wrangler with arguments and standard input (`None`: this process's), and returns what it printed where that is
read. Raises `CareError`."""


def wrangler_of(environment: Mapping[str, str], worker: str, environment_name: str) -> Run:
    """Runs wrangler for this Worker, with the variables of `environment`."""
    target = ["--env", environment_name] if environment_name else ["--name", worker]

    def run(arguments: Sequence[str], standard_input: str | None = None) -> str:
        is_read = "json" in arguments
        done = subprocess.run(
            [ROOT / "node_modules" / ".bin" / "wrangler", *arguments, *target],
            cwd=ROOT,
            env={**environment, "PATH": search_path(), "WRANGLER_SEND_METRICS": "false"},
            input=standard_input,
            stdout=subprocess.PIPE if is_read else None,
            text=True,
        )
        if done.returncode != 0:
            raise CareError(f"`wrangler {' '.join(arguments[:2])}` failed; it says why above.")
        return done.stdout or ""

    return run
