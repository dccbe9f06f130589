"""Workers whose KV takes as long as the platform's: each with a namespace of its own, all in one `wrangler dev`.

Miniflare's KV answers within milliseconds, so that a write too many costs nothing there. A Worker in front of it
(slow_kv.js) lets each operation take a time drawn from percentiles with a fixed seed; operations that run concurrently
take their times concurrently.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import LOCAL, LOCAL_FLAGS

SCRIPT = Path(__file__).with_name("slow_kv.js")
BINDING = "WAYPOST"


@dataclass(frozen=True)
class Latency:
    """How long an operation takes, in milliseconds: at least, half within, and 95 and 99 of 100 within;
    nothing is slower."""

    fastest: float
    median: float
    p95: float
    p99: float

    def percentiles(self) -> list[tuple[float, float]]:
        """The points that a wait is drawn between."""
        return [(0, self.fastest), (50, self.median), (95, self.p95), (99, self.p99)]


Latencies = Mapping[str, Latency]
"""By kind of operation: get, list, write. What is not named takes no time."""

PLATFORM: Latencies = {
    "get": Latency(5, 10, 50, 250),
    "list": Latency(25, 50, 90, 290),
    "write": Latency(50, 100, 140, 340),
}
"""Workers KV as far as it is known. Cloudflare publishes the percentiles 95 and 99 of reads, 50 and 250 ms
(https://developers.cloudflare.com/changelog/post/2025-08-22-kv-performance-improvements/), and nothing of lists and
writes: their medians are those of the simulation (simulation/model_kv.py), with a read's tail on top."""


def constant(milliseconds: float) -> Latencies:
    """Every operation takes the same time."""
    return dict.fromkeys(PLATFORM, Latency(*[milliseconds] * 4))


class SlowKvWorkers(LocalWorker):
    """A `LocalWorker` of the `projects`, which it changes: a copy of this project (`copy_project`), or any other whose
    wrangler.toml binds the namespace `WAYPOST`. The header `X-Worker` names one; without it, the first is called.

    Operations take no time of their own before `set_latencies`.
    """

    def __init__(self, folder: Path, projects: Mapping[str, Path], **variables: str) -> None:
        super().__init__("", folder, *projects.values())
        folder.mkdir(parents=True)
        shutil.copy(SCRIPT, folder / "front.js")
        (folder / "wrangler.toml").write_text(_front(list(projects)))
        for name, project in projects.items():
            config = project / "wrangler.toml"
            config.write_text(_changed(config.read_text(), name, LOCAL | variables))

    def set_latencies(self, latencies: Latencies, seed: int = 1) -> None:
        """Lets operations that begin now take so long."""
        points = {operation: latency.percentiles() for operation, latency in latencies.items()}
        body = json.dumps({"latencies": points, "seed": seed}).encode()
        request = urllib.request.Request(f"{self.url}/latencies", body, method="PUT")  # noqa: S310
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def _front(names: list[str]) -> str:
    head = f'name = "slow-kv"\nmain = "front.js"\ncompatibility_date = "2026-11-17"\n[vars]\nFIRST = "{names[0]}"\n'
    services = "".join(f'[[services]]\nbinding = "{name}"\nservice = "{name}"\n' for name in names)
    namespaces = "".join(f'[[kv_namespaces]]\nbinding = "KV_{name}"\nid = "{name}"\n' for name in names)
    return head + services + namespaces


def _changed(text: str, name: str, variables: Mapping[str, str]) -> str:
    """A wrangler.toml with another name and a slow namespace, and, for a Python Worker, what the command line would
    set: that applies to the first configuration only."""
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in variables.items())
    lines += f'SIGNING_KEY = "{secrets.token_urlsafe(32)}"\n'
    for key in variables:
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE)
    service = f'[[services]]\nbinding = "{BINDING}"\nservice = "slow-kv"\nentrypoint = "Namespace"\n'
    service += f'props = {{ namespace = "KV_{name}" }}\n'
    changes = (
        (r'^name = ".*"$', f'name = "{name}"', 1),
        (rf'^\[\[kv_namespaces\]\]\nbinding = "{BINDING}"\n(?:(?!\[).*\n)*', service, 1),
        (r"^compatibility_flags = \[.*\]$", f"compatibility_flags = {list(LOCAL_FLAGS)}", 0),
        (r"^\[vars\]\n", f"[vars]\n{lines}", 0),
    )
    for pattern, replacement, least in changes:
        # No backslash in it is meant as an escape.
        text, found = re.subn(pattern, replacement.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
        if found < least:
            raise ValueError(f"wrangler.toml has nothing like {pattern}")
    return text
