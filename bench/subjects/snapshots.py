"""A Worker as production starts it: from a snapshot of Python's memory in which it is imported already.

One is made for each upload, when the Worker's top-level code has run:
https://developers.cloudflare.com/workers/languages/python/how-python-workers-work/#deployment-lifecycle
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.subjects.workerd import Service, Workerd, configuration
from tools.local.local_worker import BUNDLE_DIR, LOCAL_FLAGS, SNAPSHOT_NAME, WORKERD
from tools.local.running import LocalWorkerError

FLAGS = ("python_dedicated_snapshot", *(flag for flag in LOCAL_FLAGS if flag != "disable_python_dedicated_snapshot"))
SECONDS = 120


class Snapshot:
    """The snapshot of `service`, in `folder`."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = replace(service, flags=FLAGS)
        self._options = (f"--pyodide-bundle-disk-cache-dir={BUNDLE_DIR}", f"--python-snapshot-dir={folder}")
        config = folder / "config.capnp"
        config.write_text(configuration([self._service], {}))
        line = [str(WORKERD), "test", "--experimental", "-I/", *self._options, "--python-save-snapshot", str(config)]
        # It fails since there is no test to be run; by then the snapshot is there.
        done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
        if not (folder / SNAPSHOT_NAME).is_file():
            raise LocalWorkerError(f"no snapshot was made:\n{done.stdout}{done.stderr}")

    def start(self) -> Workerd:
        """The Worker, restored from it."""
        load = f"--python-load-snapshot={SNAPSHOT_NAME}"
        return Workerd(self._service, serve=(str(WORKERD), "serve", *self._options, load))


@contextmanager
def snapshot_of(service: Service) -> Iterator[Snapshot]:
    """The snapshot of `service`, for as long as this lasts."""
    with TemporaryDirectory(prefix="waypost-snapshot-") as folder:
        yield Snapshot(service, Path(folder))
