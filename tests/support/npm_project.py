"""A project that uses the npm package, as its users have one."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.npm_package.assemble import assemble, pack

MODULES = ROOT / "node_modules"


def packed_package(folder: Path) -> Path:
    """Make the package in `folder`, pack it as npm publishes it, and return the archive."""
    return pack(assemble(folder / "assembled"), folder)


def project_with(archive: Path, folder: Path, modules: Mapping[str, str]) -> Path:
    """Make a project in `folder` and return it: the packed package is installed in it, and beside it `modules`, the
    names of installed packages by the names that they have there."""
    installed = folder / "node_modules"
    installed.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    # npm calls the folder in an archive so.
    (folder / "package").rename(installed / "waypost")
    for name, there in modules.items():
        (installed / name).symlink_to(MODULES / there)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    return folder
