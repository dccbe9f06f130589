"""What the machine needs before anything can be installed: Python and Node, in versions that are recent enough.

Standard library only, in a syntax that an old Python can parse: it is an old Python that shows the sentence about it.
"""

from __future__ import annotations

import re
import shutil
import subprocess

from tools.setup.steps import BootstrapError

MIN_PYTHON = (3, 11)
MIN_NODE = 20


def check_python(version: tuple[int, ...]) -> None:
    """Raise `BootstrapError` where `version` is too old."""
    if version < MIN_PYTHON:
        found = ".".join(map(str, version))
        wanted = ".".join(map(str, MIN_PYTHON))
        raise BootstrapError(
            f"Waypost needs Python {wanted} or newer and this is {found}; "
            "name another one with `make dev PYTHON=python3.13`."
        )


def check_node(version: str | None, has_npm: bool = True) -> None:
    """Raise `BootstrapError` where `version`, as `node --version` prints it, is too old or missing, or npm is."""
    found = re.match(r"v(\d+)\.", version or "")
    is_new_enough = found is not None and int(found[1]) >= MIN_NODE
    if not is_new_enough or not has_npm:
        what = f"{version} without npm" if version and not has_npm else version or "none"
        raise BootstrapError(
            f"Waypost needs Node {MIN_NODE} or newer with npm and found {what}; install it and run make again."
        )


def has_npm() -> bool:
    """Return whether npm is there: some systems have it in a package of its own."""
    return shutil.which("npm") is not None


def node_version() -> str | None:
    """Return what `node --version` prints, or None where node is missing."""
    if shutil.which("node") is None:
        return None
    return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
