"""A stream whose events carry marks: when each came, and what it said."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from bench.measure.load import break_off
from bench.measure.wire import BadReply, Connection

PATIENCE_SECONDS = 40.0


class MarkedEvents:
    """Opens a stream with the request `message`, and keeps the events `kind` on it by the mark in their data."""

    def __init__(self, port: int, message: bytes, kind: str) -> None:
        self._kind = kind
        self._connection = Connection(port)
        self._connection.socket.settimeout(None)
        self._connection.socket.sendall(message)
        self._found: dict[str, tuple[float, dict[str, Any]]] = {}
        self._news = threading.Condition()
        received = b""
        while b"ready" not in received:
            received += more_of(self._connection, received)
        self._thread = threading.Thread(target=self._read, args=(received,), daemon=True)
        self._thread.start()

    def wait(self, mark: str) -> tuple[float, dict[str, Any]]:
        """When the event with this mark came, and its data; waits for it."""
        with self._news:
            if not self._news.wait_for(lambda: mark in self._found, PATIENCE_SECONDS):
                raise BadReply(f"{mark} did not arrive within {PATIENCE_SECONDS:g} s")
            return self._found[mark]

    def _read(self, received: bytes) -> None:
        while True:
            try:
                data = self._connection.socket.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            now = time.perf_counter()
            *lines, received = (received + data).split(b"\n")
            for found in self._marked(lines):
                with self._news:
                    self._found[found["mark"]] = (now, found)
                    self._news.notify_all()

    def _marked(self, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        for line in lines:
            if line.startswith(b"data: {") and b'"mark"' in line:
                data = json.loads(line[6:])
                mark = (data.get("args") or data.get("result") or {}).get("mark")
                if mark:
                    yield data | {"mark": mark}

    def close(self) -> None:
        """Breaks the stream off."""
        break_off(self._connection.socket)
        self._thread.join(10)


def more_of(connection: Connection, received: bytes) -> bytes:
    """What comes next on a stream of which `received` is the beginning.

    Raises:
        BadReply: it ended, or it is a refusal.
    """
    data = connection.socket.recv(1 << 16)
    if not data or received[9:12] not in (b"", b"200"):
        raise BadReply(f"no stream: {(received + data)[:300]!r}")
    return data
