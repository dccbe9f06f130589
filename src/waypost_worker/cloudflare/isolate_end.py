"""Ends an isolate whose Python is broken, so that the platform replaces it.

The platform itself keeps such an isolate, and every request that it gets fails. Everything is in KV, so its clients
find all of it in the next isolate. Ends of another kind need nothing here: where Pyodide gives up by itself, workerd
aborts the isolate.
"""

from collections.abc import Callable
from typing import Any

import js
import pyodide_js  # type: ignore[import-not-found]  # a module of the runtime without stubs
from pyodide.ffi import JsException

from waypost_worker.clock import Clock
from waypost_worker.context.isolate import Isolate

REFUSED_MS = 1000
"""How long requests are refused: as long as they are asked to wait."""

DELAY_MS = 250
"""Until the isolate is aborted: long enough for the refusals, and answers that are nearly done, to leave it."""


class IsolateEnd:
    """Ends `isolate`; `workers` is the runtime's module `cloudflare:workers`.

    Older runtimes have no `abortIsolate`. There the isolate refuses what comes within a second, and goes on.
    """

    def __init__(self, isolate: Isolate, clock: Clock, log: Callable[[str], None], workers: Any) -> None:
        self._isolate = isolate
        self._clock = clock
        self._log = log
        self._workers = workers

    def begin(self, reason: str) -> None:
        """Logs `reason` in one line, refuses further requests, and aborts the isolate a moment later."""
        now_ms = self._clock.now_ms()
        if now_ms < self._isolate.refused_until_ms:
            return
        self._isolate.refused_until_ms = now_ms + REFUSED_MS
        self._log(f"this isolate is broken and ends: {reason}")
        if (abort := getattr(self._workers, "abortIsolate", None)) is None:
            return
        # Neither the timer nor what it calls needs Python. The promise keeps the invocation open, and is never kept.
        self._workers.waitUntil(js.Promise.withResolvers().promise)
        js.setTimeout(abort.bind(None, reason), DELAY_MS)

    def abort_without_python(self) -> None:
        """Has Pyodide abort the isolate where it would raise `NoGilError`, as it does once Python's lock is lost.

        No Python runs from then on, so no code here could catch that. Pyodide makes the error by a constructor that it
        looks up each time; instead of an error, this one makes an end. That is not a documented part of Pyodide: where
        it is not there, the isolate stays as it is.
        """
        abort = getattr(self._workers, "abortIsolate", None)
        try:
            if abort is not None and pyodide_js._api.NoGilError is not None:
                pyodide_js._api.NoGilError = abort.bind(None, "this isolate is broken and ends: NoGilError")
        except (AttributeError, JsException) as error:
            self._log(f"an isolate without Python's lock would not end itself: {error}")
