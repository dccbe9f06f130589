"""As little as a Python Worker can do with JSON: parse what came, answer it. What every handler is compared with."""

import json
from typing import Any

import js
from workers import WorkerEntrypoint

INIT = '{"headers":{"Content-Type":"application/json"}}'


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        text = await request.js_object.text()
        value = json.loads(text) if text else None
        return js.Response.new(json.dumps(value), js.JSON.parse(INIT))
