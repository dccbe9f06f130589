"""When something arrives on open streams: one thread reads them all and notes the time of every mark it sees.

A mark is the id of a message, `d-` and digits. It is looked for in the bytes as they come, whatever the format of the
stream, so that reading costs the same for every subject and next to nothing for a thousand streams.
"""

from __future__ import annotations

import re
import selectors
import threading
import time
from collections.abc import Callable
from itertools import count

from bench.measure.load import break_off
from bench.measure.wire import BadReply, Connection

MARK = re.compile(rb"d-\d{9}")
MARK_LENGTH = 11

_numbers = count(1)


def new_mark() -> str:
    """An id that no other message of this process has."""
    return f"d-{next(_numbers):09d}"


class Arrivals:
    """The streams that are held open; a context manager. `seen` has the time of each mark's first sight. `reopens`: a
    stream that the other side ends is opened again, as clients do."""

    def __init__(self, on_seen: Callable[[str], None] | None = None, *, reopens: bool = False) -> None:
        self.seen: dict[str, float] = {}
        self.closed = 0
        """Streams that the other side has ended."""
        self._reopens = reopens
        self._on_seen = on_seen
        self._selector = selectors.DefaultSelector()
        self._news = threading.Condition()
        self._tails: dict[int, bytes] = {}
        self._connections: list[Connection] = []
        self._is_over = False
        self._thread = threading.Thread(target=self._read, daemon=True)

    def hold(self, port: int, message: bytes, until: bytes) -> None:
        """Open a stream, and go on once it has said `until`."""
        connection = self._open(port, message)
        received = b""
        while until not in received:
            data = connection.socket.recv(1 << 16)
            if not data or (received[9:12] not in (b"", b"200")):
                raise BadReply(f"no stream: {received[:300]!r}")
            received += data
        self._note(connection.socket.fileno(), received)
        self._watch(connection, port, message)

    def _open(self, port: int, message: bytes) -> Connection:
        connection = Connection(port)
        connection.socket.sendall(message)
        self._connections.append(connection)
        self._tails[connection.socket.fileno()] = b""
        return connection

    def _watch(self, connection: Connection, port: int, message: bytes) -> None:
        connection.socket.setblocking(False)
        self._selector.register(connection.socket, selectors.EVENT_READ, (port, message))

    def wait_for(self, mark: str, seconds: float) -> float:
        """The time at which `mark` was seen; waits for it."""
        with self._news:
            if not self._news.wait_for(lambda: mark in self.seen, seconds):
                raise BadReply(f"{mark} did not arrive within {seconds:g} s")
            return self.seen[mark]

    def wait_for_count(self, wanted: int, seconds: float) -> bool:
        """Wait until so many marks were seen; whether they were."""
        with self._news:
            return self._news.wait_for(lambda: len(self.seen) >= wanted, seconds)

    def _read(self) -> None:
        while not self._is_over:
            for key, _ in self._selector.select(0.2):
                try:
                    data = key.fileobj.recv(1 << 18)  # type: ignore[union-attr]  # always a socket
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if not data:
                    self._selector.unregister(key.fileobj)
                    self.closed += 1
                    if self._reopens:
                        self._watch(self._open(*key.data), *key.data)
                    continue
                self._note(key.fd, data)

    def _note(self, descriptor: int, data: bytes) -> None:
        now = time.perf_counter()
        text = self._tails[descriptor] + data
        self._tails[descriptor] = text[-(MARK_LENGTH - 1) :]
        new = [mark for found in MARK.findall(text) if (mark := found.decode()) not in self.seen]
        if new:
            with self._news:
                self.seen.update(dict.fromkeys(new, now))
                self._news.notify_all()
        for mark in dict.fromkeys(new):
            if self._on_seen:
                self._on_seen(mark)

    def __enter__(self) -> Arrivals:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over = True
        self._thread.join(10)
        for connection in self._connections:
            break_off(connection.socket)
        self._selector.close()
