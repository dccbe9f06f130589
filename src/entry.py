"""The Worker's entry point: one application per isolate, made by the first request."""

from typing import Any

from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.worker import enter_by, make_app, serve

_apps: list[App] = []


async def _fetch(request: Any) -> Any:
    # Not at import: top-level code has no clock and no randomness, and its state is snapshotted.
    if not _apps:
        _apps.append(make_app())
    return await serve(_apps[0], request.js_object)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        """The runtime looks for this method in the class; `enter_by` gives each instance `_fetch` itself."""
        return await _fetch(request)


enter_by(Default, _fetch)
