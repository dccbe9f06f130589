"""The installed wrangler as a process, with the pinned Node and Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from tools.deploy.failure import DeployFailure, refused
from tools.local.local_worker import BUILD_DIR, ROOT, search_path

LOG = BUILD_DIR / "logs" / "deploy.log"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"\[ERROR\]\s*(.+?)(?:\n\s*\n\s*(?:If you think|🪵|To )|\n\s*🪵|\Z)", re.DOTALL)
_CODE = re.compile(r"\s*\[code: (\d+)\]")
_OFFLINE = re.compile(r"fetch failed|ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|UND_ERR")


@dataclass(frozen=True)
class Done:
    """How a wrangler ended; `output` is all that it printed, without colours."""

    status: int
    output: str


@dataclass
class Wrangler:
    """Runs wrangler in the project's folder; `environment` is added to this process's."""

    environment: Mapping[str, str] = field(default_factory=dict)
    program: Path = ROOT / "node_modules" / ".bin" / "wrangler"

    def within(self, account: str) -> Self:
        """Return one that works in this account."""
        return replace(self, environment={**self.environment, "CLOUDFLARE_ACCOUNT_ID": account})

    def run(self, arguments: Sequence[str], **environment: str) -> Done:
        """Run to the end, without a terminal, and return how it ended."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=ROOT,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        output = _COLOUR.sub("", done.stdout)
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.write_text(output)
        return Done(done.returncode, output)

    def read(self, arguments: Sequence[str]) -> str | None:
        """Run quietly and return what it printed on its standard output; None where it fails.

        What comes back may be secret, so it is written nowhere.
        """
        done = subprocess.run(
            [self.program, *arguments],
            cwd=ROOT,
            env=self._environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return done.stdout if done.returncode == 0 else None

    def talk(self, arguments: Sequence[str]) -> bool:
        """Run with this terminal; return whether it went well."""
        done = subprocess.run([self.program, *arguments], cwd=ROOT, env=self._environment({}), stdout=sys.stderr)
        return done.returncode == 0

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        quiet = {"WRANGLER_HIDE_BANNER": "true", "WRANGLER_LOG_PATH": str(LOG.parent)}
        return {**os.environ, "PATH": search_path(), **quiet, **self.environment, **more}


def failure_of(doing: str, done: Done) -> DeployFailure:
    """Return the failure for a wrangler that ended badly; `doing` completes "Cloudflare refuses to …"."""
    if offline := _OFFLINE.search(done.output):
        return DeployFailure(f"Cloudflare can't be reached ({offline[0]}). Is this machine online?")
    found = _ERROR.search(done.output)
    said = " ".join(found[1].split()) if found else "it gives no reason"
    if found and (code := _CODE.search(said)):
        reason = said[: code.start()].split(" failed. ", 1)[-1]
        return refused(doing, 403 if code[1] == "10000" else 400, int(code[1]), reason)
    return DeployFailure(f"wrangler can't {doing}: {said.rstrip('.')}. All that it said is in {LOG.relative_to(ROOT)}.")
