"""The versions that only work together, read from the one place that pins them: devDependencies of package.json.

What is installed is compared with the pins before anything is built from it. Standard library only.
"""

from __future__ import annotations

import json
import mmap
import re
from pathlib import Path

PINNED_TOGETHER = ("wrangler", "workerd", "pyodide")
"""npm packages of which one may not be raised without looking at the others."""

WANTED_PYODIDE = re.compile(rb"pythonWorkersDevPyodide\0([\w.]+)\0sha256-")
"""Where workerd's program states the Pyodide of the bundle called `dev`."""


class VersionError(Exception):
    """Something installed is of another version than the one pinned; the message names both."""


def read_pins(root: Path) -> dict[str, str]:
    """Return package name → exact version for `PINNED_TOGETHER`.

    Raises `VersionError` where a version is missing or a range.
    """
    declared = json.loads((root / "package.json").read_text())["devDependencies"]
    pins: dict[str, str] = {}
    for package in PINNED_TOGETHER:
        version = declared.get(package, "")
        if not re.fullmatch(r"\d+(\.\d+)+", version):
            raise VersionError(f"package.json must pin {package} to one exact version, not {version!r}")
        pins[package] = version
    return pins


def check_installed(root: Path, pins: dict[str, str]) -> None:
    """Raise `VersionError` unless node_modules holds exactly `pins`, and wrangler was made for that workerd."""
    modules = root / "node_modules"
    for package, expected in pins.items():
        found = json.loads((modules / package / "package.json").read_text())["version"]
        _same(package, expected, found)
    wranglers_own = json.loads((modules / "wrangler" / "package.json").read_text())["dependencies"]["workerd"]
    _same(f"the workerd of wrangler {pins['wrangler']}", pins["workerd"], wranglers_own)


def check_wanted_pyodide(workerd: bytes | mmap.mmap, pins: dict[str, str]) -> None:
    """Raise `VersionError` unless the program `workerd` asks for the Pyodide in `pins`."""
    found = WANTED_PYODIDE.search(workerd)
    if found is None:
        raise VersionError(
            f"expected workerd {pins['workerd']} to ask for Pyodide {pins['pyodide']}, found no mention of any"
        )
    _same(f"the Pyodide that workerd {pins['workerd']} asks for", pins["pyodide"], found[1].decode())


def _same(what: str, expected: str, found: str) -> None:
    if found != expected:
        raise VersionError(f"{what}: expected version {expected}, found {found}")
