"""Cloudflare's REST API: the envelope, its refusals as sentences, and patience with its rate limit.

All calls of a token have 1,200 requests in five minutes; beyond that the reply is 429 with `Retry-After`:
https://developers.cloudflare.com/fundamentals/api/reference/limits/
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

import httpx

from tools.care.problem import CareError

PUBLIC = "https://api.cloudflare.com/client/v4"
TRIES = 6
"""Attempts at a request that fails in a way that may pass: 31 s of pauses in all."""
MAX_PAUSE_SECONDS = 600
"""A longer `Retry-After` ends the command, which goes on where it stopped when it is run again."""
MAX_PAUSES = 20
"""In a row, for one request."""
DAY_IS_SPENT = "limit exceeded for the day"
"""What KV says when an operation of the free plan is used up."""
TIMEOUT_SECONDS = 120.0
"""A bulk write of many keys takes Cloudflare a while."""

SHORT = 300
"""Characters of an error text that are repeated."""


class Refused(Exception):
    """Cloudflare refuses a request, and would refuse it again. `code` is the API's own, 0 where it gives none."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that are trusted; to load them takes longer than most requests."""
    return httpx.create_ssl_context()


class Api:
    """Calls by the right of these header fields, while the context is open.

    `say` gets a sentence where a pause is long enough to wonder; `sleep` takes seconds.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        base: str = PUBLIC,
        *,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._base = base.rstrip("/")
        self._sleep = sleep
        self._say = say
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, headers=dict(headers), verify=trusted())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, json: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The `result` of the reply. Raises `Refused` and `CareError`."""
        return self.envelope(method, path, json, query)["result"]

    def envelope(self, method: str, path: str, json: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The whole reply, which has a `result` and perhaps a `result_info`. Raises `Refused` and `CareError`."""
        reply = self.send(method, path, json, query)
        body = _decoded(reply)
        if not isinstance(body, dict) or "result" not in body:
            raise CareError(f"{self._base} does not answer as Cloudflare's API does ({method} {path}). Is it that one?")
        return body

    def send(self, method: str, path: str, json: Any = None, query: Mapping[str, str] | None = None) -> httpx.Response:
        """The reply, which is a success. Raises `Refused` and `CareError`."""
        failures = pauses = 0
        while True:
            try:
                reply = self._http.request(method, self._base + path, json=json, params=query)
            except httpx.TransportError as error:
                failures += 1
                if failures == TRIES:
                    raise CareError(
                        f"{self._base} can't be reached ({str(error) or type(error).__name__}). Is this machine online?"
                    ) from error
                self._sleep(2.0 ** (failures - 1))
                continue
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise CareError(f"CLOUDFLARE_API_BASE_URL is no address: {error}.") from error
            if reply.is_success:
                return reply
            if DAY_IS_SPENT in reply.text:
                raise CareError(
                    "The account's KV operations of this day are used up, until 00:00 UTC. Run the same command then: "
                    "it goes on from here."
                )
            if reply.status_code == 429 and (pauses := pauses + 1) <= MAX_PAUSES:
                self._pause(_seconds(reply))
            elif reply.status_code >= 500 and (failures := failures + 1) < TRIES:
                self._sleep(2.0 ** (failures - 1))
            else:
                raise self._refusal(method, path, reply)

    def _pause(self, seconds: float) -> None:
        if seconds > MAX_PAUSE_SECONDS:
            raise CareError(
                f"Cloudflare's API takes no more requests of this token for {seconds:.0f} s. Run the same command then."
            )
        self._say(f"Cloudflare's API asks for a pause of {seconds:.0f} s (1,200 requests in five minutes).")
        self._sleep(seconds)

    def _refusal(self, method: str, path: str, reply: httpx.Response) -> Exception:
        body = _decoded(reply)
        errors = body.get("errors") if isinstance(body, dict) else None
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        code, message = first.get("code", 0), str(first.get("message", reply.reason_phrase))[:SHORT]
        if reply.status_code == 401 or (reply.status_code == 400 and code in (6003, 6111, 9106, 9109)):
            return CareError(
                "Cloudflare does not know this token: set CLOUDFLARE_API_TOKEN to one that is valid, or log in with "
                "`npx wrangler login`."
            )
        if reply.status_code == 403:
            return CareError(
                f"The token may not do this ({method} {path}: {message}). Give it the permission at "
                "https://dash.cloudflare.com/profile/api-tokens: Workers KV Storage for data, Workers Scripts for the "
                "Worker, Account Analytics for the cost."
            )
        if reply.status_code >= 500:
            return CareError(
                f"Cloudflare's API fails with status {reply.status_code} ({message}), {TRIES} times in a row. Run the "
                "same command later; https://www.cloudflarestatus.com/ says how it is."
            )
        return Refused(reply.status_code, code, message)


def _seconds(reply: httpx.Response) -> float:
    """What `Retry-After` says; a minute where it says nothing usable."""
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 60.0


def _decoded(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except ValueError:
        return None
