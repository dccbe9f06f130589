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


def check_node(version: str | None) -> None:
    """Raise `BootstrapError` where `version`, as `node --version` prints it, is too old or missing."""
    found = re.match(r"v(\d+)\.", version or "")
    if found is None or int(found[1]) < MIN_NODE:
        raise BootstrapError(
            f"Waypost needs Node {MIN_NODE} or newer with npm and found {version or 'none'}; "
            "install it and run make again."
        )


def node_version() -> str | None:
    """Return what `node --version` prints, or None where node or npm is missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
