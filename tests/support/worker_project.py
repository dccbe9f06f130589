"""Worker projects made for a test: a copy of this one with another entry point or other bindings.

A copy is also left alone by whoever edits src/ while the tests run: wrangler reloads a Worker whose files change.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.worker import LocalWorker
from tools.local_worker import ROOT, Launch


@dataclass(frozen=True)
class ProjectLaunch(Launch):
    """How a Worker is run whose files are not this repository's."""

    config: Path = ROOT / "wrangler.toml"

    def command(self) -> list[str]:
        return [*super().command(), "--config", str(self.config)]


class ProjectWorker(LocalWorker):
    """A `LocalWorker` of the project in `folder`."""

    def __init__(self, folder: Path, signing_key: str | None = "", **variables: str) -> None:
        super().__init__(signing_key, **variables)
        here = self._launch
        config = folder / "wrangler.toml"
        self._launch = ProjectLaunch(
            here.port, here.state, env_file=here.env_file, variables=here.variables, config=config
        )


def copy_project(folder: Path) -> Path:
    """Copy what makes the Worker into `folder`, which must not exist, and return it."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wrangler.toml", folder)
    (folder / "python_modules").symlink_to(ROOT / "python_modules")
    return folder


def drop_binding(folder: Path, table: str) -> None:
    """Take the bindings `[[table]]` out of the project's wrangler.toml."""
    config = folder / "wrangler.toml"
    text, found = re.subn(rf"(?m)^\[\[{re.escape(table)}\]\]\n(?:(?!\[).*\n)*", "", config.read_text())
    if not found:
        raise ValueError(f"wrangler.toml has no [[{table}]]")
    config.write_text(text)
