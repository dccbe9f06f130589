"""The least that a Python Worker takes for a request, as the SDK has it: what comes is not looked at."""

from typing import Any

import js
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        del request
        return js.Response.new("{}")
