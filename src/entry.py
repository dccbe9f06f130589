"""The Worker's entrypoint: one application per isolate, made by the first request."""

from typing import Any

from workers import WorkerEntrypoint

from waypost.app import App
from waypost.cloudflare import make_app, serve

_apps: list[App] = []


async def _fetch(request: Any) -> Any:
    # Not at import: top-level code has no clock and no randomness, and its state is snapshotted.
    if not _apps:
        _apps.append(make_app())
    return await serve(_apps[0], request.js_object)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        """What the runtime looks for in the class. The instances that it makes for each request have their own."""
        return await _fetch(request)


def _init(self: Any, _context: Any, _env: Any) -> None:
    self.fetch = _fetch


# For each request the SDK's own __init__ wraps the context and the environment, which are not used here, and the
# signature of a method is worked out anew for each instance that it is bound to, that of a function once. Together
# that is a sixth of what a small request costs; a class's own __init__ would be wrapped as well.
Default.__init__ = _init  # type: ignore[method-assign, assignment]
