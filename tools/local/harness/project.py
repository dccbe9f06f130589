"""Projects made for a test: a copy of what makes the Worker, with another entry point, other bindings or other limits.

A copy is also left alone by whoever edits src/ while the tests run: wrangler reloads a Worker whose files change.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.site_files import SERVED, SOURCE, make_site

RAISED = 1_000_000
"""Calls in a minute: more than all tests make."""

_BUILD = re.compile(r"^\[build\]\n(?:(?!\[).*\n)*", re.MULTILINE)
_RATE_LIMIT = re.compile(r"^\[\[ratelimits\]\]\n(?:(?!\[).*\n)*", re.MULTILINE)


def copy_project(folder: Path, *, has_real_limits: bool = False) -> Path:
    """Copy what makes the Worker into `folder`, which must not exist, and return it; its rate limits are raised."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    make_site(SOURCE, folder / SERVED.relative_to(ROOT))
    # The files are made, and no start need make them again.
    config = (ROOT / "wrangler.toml").read_text()
    (folder / "wrangler.toml").write_text(_BUILD.sub("", config))
    (folder / "python_modules").symlink_to(ROOT / "python_modules")
    if not has_real_limits:
        raise_limits(folder)
    return folder


@cache
def ordinary_project() -> Path:
    """The copy that Workers run which need no other: made once in this process, and removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="waypost-project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return copy_project(folder / "project")


def raise_limits(folder: Path) -> None:
    """Make every `[[ratelimits]]` of the project too high to be met, but for that of guesses: tests do guess."""
    config = folder / "wrangler.toml"

    def raised(table: re.Match[str]) -> str:
        if '"MISS_LIMIT"' in table[0]:
            return table[0]
        return re.sub(r"\blimit = \d+", f"limit = {RAISED}", table[0])

    config.write_text(_RATE_LIMIT.sub(raised, config.read_text()))


def drop_binding(folder: Path, table: str) -> None:
    """Take the bindings `[[table]]` out of the project's wrangler.toml."""
    config = folder / "wrangler.toml"
    text, found = re.subn(rf"(?m)^\[\[{re.escape(table)}\]\]\n(?:(?!\[).*\n)*", "", config.read_text())
    if not found:
        raise ValueError(f"wrangler.toml has no [[{table}]]")
    config.write_text(text)
