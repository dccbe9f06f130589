"""Cloudflare's API, as far as a deployment needs it: https://developers.cloudflare.com/api/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tools.deploy.failure import PERMISSIONS, refused
from tools.deploy.sending import Send, Sent

BASE = "https://api.cloudflare.com/client/v4"
PAGE_SIZE = 100


class Api:
    """The API by the right of these header fields; `base` as in the variable CLOUDFLARE_API_BASE_URL of wrangler."""

    def __init__(self, headers: Mapping[str, str], send: Send, base: str = BASE) -> None:
        self._headers = headers
        self._send = send
        self._base = base.rstrip("/")

    def call(self, method: str, path: str, doing: str, body: Any = None, needs: str = PERMISSIONS) -> Any:
        """Return the result of a request. `doing` completes "Cloudflare refuses to …", `needs` "It needs …".

        Raises `ApiFailure` where the API refuses, `Unreachable` without a reply.
        """
        return self._envelope(method, path, doing, body, needs).get("result")

    def pages(self, path: str, doing: str, needs: str = PERMISSIONS, **query: str) -> list[Any]:
        """Return the results of all pages of a list; raises as `call` does."""
        found: list[Any] = []
        while True:
            page = len(found) // PAGE_SIZE + 1
            question = urlencode({**query, "page": page, "per_page": PAGE_SIZE})
            results = self._envelope("GET", f"{path}?{question}", doing, None, needs).get("result") or []
            found += results
            if len(results) < PAGE_SIZE:
                return found

    def _envelope(self, method: str, path: str, doing: str, body: Any, needs: str) -> dict[str, Any]:
        reply = self._send(Sent(method, self._base + path, body, self._headers))
        envelope = reply.json()
        if not isinstance(envelope, dict) or "success" not in envelope:
            raise refused(doing, reply.status, 0, f"it answers {reply.status} without a reason", needs)
        if not envelope["success"]:
            errors = envelope.get("errors") or [{}]
            raise refused(doing, reply.status, errors[0].get("code", 0), errors[0].get("message", "no reason"), needs)
        return envelope
