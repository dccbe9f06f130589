"""Workers under `wrangler dev` with Miniflare's KV: Waypost, and JavaScript ones that stand for what others write.

Miniflare's stand-ins cost what the platform's own do not: each request passes a Worker that looks for an asset first,
and rate limits are counted in a database on disk. So what Waypost is compared with has both too, or neither has limits.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.subjects.workerd import REFERENCE
from tools.local.harness.project import RAISED
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project, drop_binding
from tools.site_files import SOURCE, make_site
from waypost_worker.security.rate_limits import Limit

WAYPOST = "Waypost"
UNLIMITED = "Waypost, no limits bound"
SAME_KEYS = "JavaScript, same keys"
SAME_KEYS_UNLIMITED = "JavaScript, same keys, no limits bound"
JSON_ARRAY = "JavaScript, JSON array"
STORE_THEN_DELIVER = "JavaScript, store then deliver"

CONFIG = """name = "{name}"
main = "worker.js"
compatibility_date = "2026-11-17"

[[kv_namespaces]]
binding = "WAYPOST"
id = "00000000000000000000000000000000"
"""


def waypost_worker(folder: Path) -> LocalWorker:
    """This project's Worker from a copy in `folder`, its rate limits bound and too high to be met."""
    return ProjectWorker(copy_project(folder / "waypost"))


def unlimited_worker(folder: Path) -> LocalWorker:
    """The same without rate limits."""
    project = copy_project(folder / "unlimited")
    drop_binding(project, "ratelimits")
    return ProjectWorker(project)


def same_keys_worker(folder: Path, *, has_limits: bool) -> LocalWorker:
    """The JavaScript Worker with our keys, deployed as Waypost is."""
    place = folder / ("limited" if has_limits else "unlimited")
    return ProjectWorker(_as_deployed(place, "same_keys", has_limits=has_limits), None)


def store_then_deliver_project(folder: Path) -> Path:
    """The JavaScript Worker that stores and then delivers, deployed as Waypost is."""
    return _as_deployed(folder, "store_then_deliver", has_limits=True)


def _as_deployed(folder: Path, reference: str, *, has_limits: bool) -> Path:
    config = '\n[vars]\n\n[assets]\ndirectory = "site"\n'
    for number, limit in enumerate(Limit if has_limits else ()):
        simple = f"{{ limit = {RAISED}, period = 60 }}"
        config += f'\n[[ratelimits]]\nname = "{limit}"\nnamespace_id = "{number + 1}"\nsimple = {simple}\n'
    project = _project(folder, reference, config)
    make_site(SOURCE, project / "site")
    return project


def json_array_worker(folder: Path) -> LocalWorker:
    """The JavaScript Worker that keeps a queue under one key, as it is most often written: with nothing else."""
    return ProjectWorker(_project(folder, "json_array"), None)


def _project(folder: Path, reference: str, config: str = "") -> Path:
    project = folder / reference
    shutil.copytree(REFERENCE / reference, project)
    (project / "wrangler.toml").write_text(CONFIG.format(name=reference.replace("_", "-")) + config)
    return project
