"""Replies that stand before all routes: what goes wrong between a program and the real API."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.support.cloudflare_api.routing import Handler, Raw, Routes


class Failing(Routes):
    """Gives the prepared replies, each once, to the next requests whose line (`GET /accounts`) contains its text."""

    def __init__(self) -> None:
        super().__init__()
        self._prepared: list[tuple[str, Raw]] = []

    def next(self, part: str, status: int, body: Any = b"", **headers: str) -> None:
        """Prepare a reply; a body that is no bytes is sent as JSON. `Retry_After` is the header of that name."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._prepared.append((part, Raw(sent, status, {n.replace("_", "-"): v for n, v in headers.items()})))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        for prepared in self._prepared:
            if prepared[0] in f"{method} {path}":
                self._prepared.remove(prepared)
                return partial(_given, prepared[1]), {}
        return None


def _given(reply: Raw, *_: Any) -> Raw:
    return reply
