"""A Worker that imports the SDK and nothing else: what a start costs that is not ours."""

from typing import Any

import js
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        return js.Response.new("")
