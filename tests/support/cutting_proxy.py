"""A proxy whose connections break: each one after some of what the server has sent, none after a time."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from types import TracebackType
from typing import Self

PARTS = (0, 4, 8, 12, 20, 40)
"""How many parts of the server's data a connection passes on before it breaks; a reply has about three. After 0, the
reply is lost, and its request has arrived."""


class CuttingProxy:
    """Passes bytes on to a port of this machine, while it is open. The first connection breaks last: a session that is
    opened twice is two sessions. `cuts`: how many connections broke."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.cuts = 0
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._random = random.Random(seed)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        # Closing alone would leave the thread that accepts where it is.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut(*self._open)

    def _accept(self) -> None:
        parts = max(PARTS)
        while not self._is_closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            with self._lock:
                self._open |= {near, far}
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(far, near, parts), daemon=True).start()
            parts = self._random.choice(PARTS)

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                far.sendall(data)
        self._cut(near, far)

    def _pass_back(self, far: socket.socket, near: socket.socket, parts: int) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                if parts == 0:
                    self.cuts += 1
                    break
                parts -= 1
                near.sendall(data)
        self._cut(near, far)

    def _cut(self, *ends: socket.socket) -> None:
        with self._lock:
            mine = self._open & set(ends)
            self._open -= mine
        for end in mine:
            # Both sides see it now; closing alone would wait for the thread that reads.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
