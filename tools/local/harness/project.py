"""Projects made for a test: a copy of the Worker's files, with another entry point, other bindings or other limits.

An edit of src/ while the tests run does not change a copy: wrangler reloads a Worker whose files change.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.released import unpack
from tools.site_files import SERVED, SOURCE, make_site

RAISED = 1_000_000
"""Calls a minute: more than all tests make."""

_BUILD = re.compile(r"^\[build\]\n(?:(?!\[).*\n)*", re.MULTILINE)
_RATE_LIMIT = re.compile(r"^\[\[ratelimits\]\]\n(?:(?!\[).*\n)*", re.MULTILINE)


def copy_project(folder: Path, *, has_real_limits: bool = False) -> Path:
    """Copy the Worker's files into `folder`, which must not exist, raise the rate limits, and return the folder."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wrangler.toml", folder)
    return _runnable(folder, has_real_limits=has_real_limits)


def copy_released(folder: Path) -> Path:
    """Unpack the last released Worker into `folder`, which must not exist, raise its limits, and return the folder.

    It is served with this version's pages and runs on this version's packages.
    """
    unpack(folder)
    return _runnable(folder)


def _runnable(folder: Path, *, has_real_limits: bool = False) -> Path:
    make_site(SOURCE, folder / SERVED.relative_to(ROOT))
    # The site is made already, so wrangler need not make it at each start.
    config = folder / "wrangler.toml"
    config.write_text(_BUILD.sub("", config.read_text()))
    (folder / "python_modules").symlink_to(ROOT / "python_modules")
    if not has_real_limits:
        raise_limits(folder)
    return folder


@cache
def ordinary_project() -> Path:
    """Return the copy for Workers without changes of their own: made once in this process, removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="waypost-project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return copy_project(folder / "project")


def raise_limits(folder: Path) -> None:
    """Raise every `[[ratelimits]]` of the project beyond reach, but for that of guesses, which tests make."""
    config = folder / "wrangler.toml"

    def raised(table: re.Match[str]) -> str:
        if '"MISS_LIMIT"' in table[0]:
            return table[0]
        return re.sub(r"\blimit = \d+", f"limit = {RAISED}", table[0])

    config.write_text(_RATE_LIMIT.sub(raised, config.read_text()))


def drop_binding(folder: Path, table: str) -> None:
    """Remove the bindings `[[table]]` from the project's wrangler.toml."""
    config = folder / "wrangler.toml"
    text, found = re.subn(rf"(?m)^\[\[{re.escape(table)}\]\]\n(?:(?!\[).*\n)*", "", config.read_text())
    if not found:
        raise ValueError(f"wrangler.toml has no [[{table}]]")
    config.write_text(text)
