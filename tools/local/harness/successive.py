"""One KV that different versions of the Worker run on, one after the other: an upgrade, and the way back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tools.local.harness.worker import LocalWorker

_NAMESPACE = re.compile(r'^binding = "WAYPOST"\n(id = ".*"\n)?', re.MULTILINE)


class SuccessiveVersions(LocalWorker):
    """A `LocalWorker` of the first of `projects`, until it is told to run another one of them.

    All see the same KV; nothing else of a version outlives it.
    """

    def __init__(self, *projects: Path, **variables: str) -> None:
        for project in projects:
            config = project / "wrangler.toml"
            config.write_text(_NAMESPACE.sub('binding = "WAYPOST"\nid = "shared"\n', config.read_text()))
        super().__init__("", projects[0], **variables)

    def run(self, project: Path) -> None:
        """Ends the version that runs, and starts this one; ready when it returns."""
        self._process().stop()
        self._launch = replace(self._launch, configs=(project / "wrangler.toml",))
        self.start()
        self.wait_ready()
