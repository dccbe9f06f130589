"""A host and a guest that do not give up: the client rules of the protocol in their plainest form."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.http_api import Session
from tests.support.sse_client import NoEvent

PAUSE_SECONDS = 0.1

Handler = Callable[[dict[str, Any]], Any]


class SteadyHost:
    """Runs `handler` once for each request id, in a thread; comes back with its cursor whenever the stream breaks, and
    answers what is delivered again with its first answer. `runs` counts runs by id, in the order of the first ones."""

    def __init__(self, session: Session, handler: Handler) -> None:
        self.runs: Counter[str] = Counter()
        self.replays: set[str] = set()
        self._session = session
        self._handler = handler
        self._answers: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> SteadyHost:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        self._thread.join(60)

    def _serve(self) -> None:
        last_id = ""
        while not self._stopping.is_set():
            try:
                session = self._session
                with session.api.stream(session.code, session.host_token, last_event_id=last_id) as stream:
                    while not self._stopping.is_set() and not (stream.is_over and not stream.has_next):
                        try:
                            event = stream.next("request", PAUSE_SECONDS)
                        except NoEvent:
                            continue
                        last_id = event.id
                        self._run(event.data)
            except httpx.TransportError:
                time.sleep(PAUSE_SECONDS)

    def _run(self, request: dict[str, Any]) -> None:
        request_id = request["id"]
        if request.get("replay"):
            self.replays.add(request_id)
        if request_id not in self._answers:
            self.runs[request_id] += 1
            self._answers[request_id] = self._handler(request)
        if self._session.answer(request_id, self._answers[request_id]).status_code != 202:
            # It stays unacknowledged, so it comes again.
            time.sleep(PAUSE_SECONDS)


def ask_until_accepted(session: Session, args: Any, seconds: float = 180, **fields: Any) -> httpx.Response:
    """Send one request, with an id of the caller's, as often as it takes until the Worker says that it has it."""
    assert "id" in fields
    deadline = time.monotonic() + seconds
    while True:
        try:
            reply = session.ask(args, **fields)
            if reply.status_code in (200, 202):
                return reply
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"the request {fields['id']} was not accepted within {seconds} s")
        time.sleep(PAUSE_SECONDS)
