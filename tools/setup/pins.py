"""The npm packages whose versions only work together, as devDependencies of package.json pin them.

The installed versions are compared with the pins before anything is built from them. Standard library only.
"""

from __future__ import annotations

import json
import mmap
import re
from pathlib import Path

PINNED_TOGETHER = ("wrangler", "workerd", "pyodide")
"""npm packages that are upgraded together: each works with certain versions of the others."""

WANTED_PYODIDE = re.compile(rb"pythonWorkersDevPyodide\0([\w.]+)\0sha256-")
"""The place in workerd's program that names the Pyodide version of the bundle called `dev`."""


class VersionError(Exception):
    """Raised where an installed version is not the pinned one; the message names both."""


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
