"""Two isolates of this Worker on one KV, like two locations of the platform: they share nothing but KV.

They are two Workers of one `wrangler dev`, which share a namespace by its id. A third one in front of them routes by
the header `X-Isolate`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from tools.local.harness.project import copy_project, copy_released
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import LOCAL, LOCAL_FLAGS

NAMES = ("a", "b")

ROUTER = """let requests = 0;
export default {
  fetch(request, env) {
    return env[request.headers.get("x-isolate") ?? UNNAMED].fetch(request);
  },
};
"""

CHANGES = (
    (r'^name = "waypost"$', 'name = "waypost-{name}"'),
    # The command line applies to the first configuration only.
    (r"^compatibility_flags = \[.*\]$", f"compatibility_flags = {list(LOCAL_FLAGS)}"),
    (r'^binding = "WAYPOST"\n(id = ".*"\n)?', 'binding = "WAYPOST"\nid = "shared"\n'),
    (r'^PLAN = ".*"$', f'PLAN = "{LOCAL["PLAN"]}"'),
    (r"^\[vars\]\n", "[vars]\n{secrets}"),
)
"""Patterns in each wrangler.toml, and what is put in their place."""


class TwoIsolates(LocalWorker):
    """A `LocalWorker` of two projects below `folder`; the header `X-Isolate: a` or `b` chooses.

    `copy_a` makes the first project; the second is a copy of this one. Requests without the header go to `a`, or with
    `takes_turns` to either in turns.
    """

    def __init__(
        self,
        folder: Path,
        *,
        copy_a: Callable[[Path], Path] = copy_project,
        takes_turns: bool = False,
        app_keys: str = "",
    ) -> None:
        super().__init__("", *(folder / name for name in ("router", *NAMES)))
        lines = f'SIGNING_KEY = "{secrets.token_urlsafe(32)}"\nAPP_KEYS = "{app_keys}"\n'
        for name, copy in zip(NAMES, (copy_a, copy_project), strict=True):
            config = copy(folder / name) / "wrangler.toml"
            config.write_text(_changed(config.read_text(), name=name, secrets=lines))
        router = folder / "router"
        router.mkdir()
        unnamed = f"{list(NAMES)}[requests++ % {len(NAMES)}]" if takes_turns else f'"{NAMES[0]}"'
        (router / "router.js").write_text(ROUTER.replace("UNNAMED", unnamed))
        services = "".join(f'[[services]]\nbinding = "{name}"\nservice = "waypost-{name}"\n' for name in NAMES)
        head = 'name = "router"\nmain = "router.js"\ncompatibility_date = "2026-11-17"\n'
        (router / "wrangler.toml").write_text(head + services)


class TwoVersions(TwoIsolates):
    """The version that was released last (`a`) and this one (`b`) on one KV."""

    def __init__(self, folder: Path, app_keys: str = "") -> None:
        super().__init__(folder, copy_a=copy_released, app_keys=app_keys)


def _changed(text: str, **values: str) -> str:
    for pattern, replacement in CHANGES:
        for name, value in values.items():
            replacement = replacement.replace(f"{{{name}}}", value)
        # No backslash in it is meant as an escape.
        text, found = re.subn(pattern, replacement.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
        if not found:
            raise ValueError(f"wrangler.toml has nothing like {pattern}")
    return text
