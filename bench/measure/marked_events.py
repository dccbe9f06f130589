"""A stream whose events carry marks: when each came, and what it said."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bench.measure.load import break_off
from bench.measure.wire import BadReply, Connection

PATIENCE_SECONDS = 40.0


class MarkedEvents:
    """Opens a stream with the request `message`, and keeps the events `kind` on it by the mark in their data."""

    def __init__(self, port: int, message: bytes, kind: str) -> None:
        self._port, self._message, self._kind = port, message, kind
        self._found: dict[str, tuple[float, dict[str, Any]]] = {}
        self._news = threading.Condition()
        self._is_over = False
        received = self._open()
        self._thread = threading.Thread(target=self._read, args=(received,), daemon=True)
        self._thread.start()

    def _open(self) -> bytes:
        """Opens the stream. Returns what it said first."""
        self._connection = Connection(self._port)
        self._connection.socket.settimeout(None)
        self._connection.socket.sendall(self._message)
        received = b""
        while b"ready" not in received:
            received += more_of(self._connection, received)
        return received

    def wait(self, mark: str) -> tuple[float, dict[str, Any]]:
        """When the event with this mark came, and its data; waits for it."""
        with self._news:
            if not self._news.wait_for(lambda: mark in self._found, PATIENCE_SECONDS):
                raise BadReply(f"{mark} did not arrive within {PATIENCE_SECONDS:g} s")
            return self._found[mark]

    def _read(self, received: bytes) -> None:
        while True:
            now = time.perf_counter()
            *lines, received = received.split(b"\n")
            for found in self._marked(lines):
                with self._news:
                    self._found.setdefault(found["mark"], (now, found))
                    self._news.notify_all()
            try:
                data = self._connection.socket.recv(1 << 16)
            except OSError:
                data = b""
            if not data and self._is_over:
                return
            if not data:
                # Streams end by themselves now and then; a new one says again what is still queued.
                self._connection.close()
            received = received + data if data else self._open()

    def _marked(self, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        for line in lines:
            if line.startswith(b"data: {") and b'"mark"' in line:
                data = json.loads(line[6:])
                mark = (data.get("args") or data.get("result") or {}).get("mark")
                if mark:
                    yield data | {"mark": mark}

    def close(self) -> None:
        """Breaks the stream off."""
        self._is_over = True
        # Wakes the reader, which closing alone does not.
        with suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        break_off(self._connection.socket)


def more_of(connection: Connection, received: bytes) -> bytes:
    """What comes next on a stream of which `received` is the beginning.

    Raises:
        BadReply: it ended, or it is a refusal.
    """
    data = connection.socket.recv(1 << 16)
    if not data or received[9:12] not in (b"", b"200"):
        raise BadReply(f"no stream: {(received + data)[:300]!r}")
    return data
