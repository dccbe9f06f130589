"""Workers under `wrangler dev` with Miniflare's KV: Waypost, and JavaScript ones that stand for what others write."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.workerd import REFERENCE
from tests.support.worker import LocalWorker
from tests.support.worker_project import ProjectWorker, copy_project, drop_binding

WAYPOST = "Waypost"
UNLIMITED = "Waypost, no limits bound"
SAME_KEYS = "JavaScript, same keys"
JSON_ARRAY = "JavaScript, JSON array"

CONFIG = """name = "{name}"
main = "worker.js"
compatibility_date = "2026-11-01"

[[kv_namespaces]]
binding = "WAYPOST"
id = "00000000000000000000000000000000"
"""


def waypost_worker(folder: Path) -> LocalWorker:
    """This project's Worker from a copy in `folder`, its rate limits bound and too high to be met."""
    return ProjectWorker(copy_project(folder / "waypost"))


def unlimited_worker(folder: Path) -> LocalWorker:
    """The same without rate limits: Miniflare counts them in a database on disk, which the platform does not."""
    project = copy_project(folder / "unlimited")
    drop_binding(project, "ratelimits")
    return ProjectWorker(project)


def javascript_worker(folder: Path, reference: str) -> LocalWorker:
    """The Worker in bench/reference/{reference}."""
    project = folder / reference
    shutil.copytree(REFERENCE / reference, project)
    (project / "wrangler.toml").write_text(CONFIG.format(name=reference.replace("_", "-")))
    return ProjectWorker(project, None)
