"""The installed wrangler, for secrets, whose values never stand on a command line, and for rollbacks, which it asks
about.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from tools.care.problem import CareError
from tools.local.local_worker import ROOT, search_path

Run = Callable[[Sequence[str], str | None], str]
"""Runs wrangler with arguments and standard input (`None`: this process's), and returns what it printed where that is
read. Raises `CareError`."""


def wrangler_of(environment: Mapping[str, str], account: str, worker: str) -> Run:
    """Runs wrangler for this Worker, with the variables of `environment` besides this process's."""
    variables = {"PATH": search_path(), "CLOUDFLARE_ACCOUNT_ID": account, "WRANGLER_HIDE_BANNER": "true"}

    def run(arguments: Sequence[str], standard_input: str | None = None) -> str:
        is_read = "json" in arguments
        done = subprocess.run(
            # The name is whole: no environment is to be added to it.
            [ROOT / "node_modules" / ".bin" / "wrangler", *arguments, "--name", worker, "--env", ""],
            cwd=ROOT,
            env={**os.environ, **environment, **variables},
            input=standard_input,
            stdout=subprocess.PIPE if is_read else None,
            text=True,
        )
        if done.returncode != 0:
            raise CareError(f"`wrangler {' '.join(arguments[:2])}` failed; it says why above.")
        return done.stdout or ""

    return run
