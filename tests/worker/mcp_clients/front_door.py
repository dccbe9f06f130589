"""A TCP proxy in front of the Worker that keeps its address when the Worker dies, as Cloudflare's own does: new
connections wait meanwhile. It can also break off the connections that are open."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

PIECE_BYTES = 65536
PATIENCE_SECONDS = 120.0


class FrontDoor:
    """Passes on what comes to `url`, to `port` on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_open = threading.Event()
        self._is_open.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Breaks off every connection."""
        with self._lock:
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        """Breaks off every connection; new ones wait until `open`."""
        self._is_open.clear()
        self.cut()

    def open(self) -> None:
        """Lets the waiting connections through."""
        self._is_open.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if not self._is_open.wait(PATIENCE_SECONDS):
                return
            with socket.create_connection(("127.0.0.1", self._port)) as worker:
                with self._lock:
                    self._sockets |= {client, worker}
                back = threading.Thread(target=_copy, args=(worker, client), daemon=True)
                back.start()
                _copy(client, worker)
                back.join()
                with self._lock:
                    self._sockets -= {client, worker}


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on all that comes, and then the end."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
    for each in (target, source):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
