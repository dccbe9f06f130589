"""The entry point of a Worker that says how large Python's memory is: `GET /memory`, in bytes. It never shrinks."""

from typing import Any

import js
import pyodide_js
from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.worker import make_app, serve

_apps: list[App] = []


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _apps:
            _apps.append(make_app())
        if request.js_object.url.endswith("/memory"):
            return js.Response.new(str(pyodide_js._module.HEAPU8.length))
        return await serve(_apps[0], request.js_object)
