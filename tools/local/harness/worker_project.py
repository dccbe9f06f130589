"""A Worker that runs a project made for a test."""

from __future__ import annotations

from pathlib import Path

from tools.local.harness.project import copy_project, drop_binding, raise_limits
from tools.local.harness.worker import LocalWorker

__all__ = ["ProjectWorker", "copy_project", "drop_binding", "raise_limits"]


class ProjectWorker(LocalWorker):
    """A `LocalWorker` of the project in `folder`."""

    def __init__(self, folder: Path, signing_key: str | None = "", **variables: str) -> None:
        super().__init__(signing_key, folder, **variables)
