"""Two isolates of this Worker on one KV, like two locations of the platform: they share nothing but KV.

They are two Workers of one `wrangler dev`, which share a namespace by its id. A third one in front of them routes by
the header `X-Isolate`.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from tools.local.harness.project import copy_project
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import LOCAL, LOCAL_FLAGS

NAMES = ("a", "b")

ROUTER = """export default {
  fetch(request, env) {
    return env[request.headers.get("x-isolate") ?? "a"].fetch(request);
  },
};
"""


class TwoIsolates(LocalWorker):
    """A `LocalWorker` of copies of the project below `folder`; the header `X-Isolate: a` or `b` chooses."""

    def __init__(self, folder: Path) -> None:
        super().__init__("", *(folder / name for name in ("router", *NAMES)))
        key = secrets.token_urlsafe(32)
        for name in NAMES:
            config = copy_project(folder / name) / "wrangler.toml"
            # The command line applies to the first configuration only.
            config.write_text(
                _replaced(
                    config.read_text(),
                    {
                        'name = "waypost"': f'name = "waypost-{name}"',
                        'compatibility_flags = ["python_workers"]': f"compatibility_flags = {list(LOCAL_FLAGS)}",
                        "[vars]": f'[vars]\nSIGNING_KEY = "{key}"',
                        'PLAN = ""': f'PLAN = "{LOCAL["PLAN"]}"',
                    },
                )
            )
        router = folder / "router"
        router.mkdir()
        (router / "router.js").write_text(ROUTER)
        services = "".join(f'[[services]]\nbinding = "{name}"\nservice = "waypost-{name}"\n' for name in NAMES)
        head = 'name = "router"\nmain = "router.js"\ncompatibility_date = "2026-11-17"\n'
        (router / "wrangler.toml").write_text(head + services)


def _replaced(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        if old not in text:
            raise ValueError(f"wrangler.toml has no {old}")
        text = text.replace(old, new, 1)
    return text
