"""A scripted model's service on loopback, which can speak the OpenAI-compatible protocol.

A script is a list of steps: `Head`, bytes of the body, `Pause`, `STALL`, `RESET`. Each request takes the next script of
those that were given, or else `DEFAULT`. What was asked is in `requests`, also whether the client went away. Where
`refuses` gives a reason against a request's messages, that is the reply, as from a template that raises.
"""

from __future__ import annotations

import json
import select
import socket
import socketserver
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.support.completions import said

PATIENCE_SECONDS = 60.0
"""More than any test waits; bounds a stall whose client never leaves."""


@dataclass(frozen=True)
class Head:
    """The head of the reply."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream; charset=utf-8"})


@dataclass(frozen=True)
class Pause:
    """Says nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class Reset:
    """Breaks the connection off, as a machine does that dies."""


STALL = Pause(PATIENCE_SECONDS)
RESET = Reset()
Step = Head | bytes | Pause | Reset
DEFAULT: Sequence[Step] = (Head(), *said("Hello", " from", " the", " model."))


def paced(frames: Iterable[bytes], seconds: float) -> list[Step]:
    """A reply whose frames have a pause before each."""
    return [Head(), *(step for frame in frames for step in (Pause(seconds), frame))]


def refusal(status: int, body: str = '{"error":{"message":"no"}}', **headers: str) -> list[Step]:
    """A reply that is none; in the names of `headers`, `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Head(status, {"Content-Type": "application/json", **named}), body.encode()]


@dataclass
class Asked:
    """A request. `has_left`: its client went away before the reply was over."""

    path: str
    headers: dict[str, str]
    body: Any
    has_left: bool = False


class ModelServer:
    """The service, in threads of its own while the context is open."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.refuses: Callable[[list[dict[str, Any]]], str | None] | None = None
        self._scripts: deque[Sequence[Step]] = deque()
        self._server = _Server(("127.0.0.1", 0), self._answer)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL, for OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def script(self, *scripts: Sequence[Step]) -> None:
        """Uses these scripts for the next requests, one each; drops earlier scripts and requests."""
        self.requests.clear()
        self._scripts = deque(scripts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, connection: socket.socket) -> None:
        asked = _read_request(connection)
        if asked is None:
            return
        self.requests.append(asked)
        script = self._scripts.popleft() if self._scripts else DEFAULT
        if self.refuses and (reason := self.refuses(asked.body["messages"])):
            script = refusal(400, json.dumps({"object": "error", "message": reason, "code": 400}))
        try:
            _play(connection, script)
        except (_Left, ConnectionError):
            asked.has_left = True


class _Left(Exception):
    """The client closed its side."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # Stalled replies must not hold up the end of the test.
    block_on_close = False

    def __init__(self, address: tuple[str, int], answer: Any) -> None:
        self._answer = answer
        super().__init__(address, socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer(request)


def _read_request(connection: socket.socket) -> Asked | None:
    with connection.makefile("rb") as reader:
        first = reader.readline().decode().split(" ")
        if len(first) < 2:
            return None
        headers: dict[str, str] = {}
        while line := reader.readline().decode().rstrip("\r\n"):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
    return Asked(first[1], headers, json.loads(body) if body else None)


def _play(connection: socket.socket, script: Sequence[Step]) -> None:
    for step in script:
        match step:
            case Head():
                fields = {**step.headers, "Transfer-Encoding": "chunked", "Connection": "close"}
                lines = [f"HTTP/1.1 {step.status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
                connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            case bytes():
                connection.sendall(b"%x\r\n%s\r\n" % (len(step), step))
            case Pause():
                _wait(connection, step.seconds)
            case Reset():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return
    connection.sendall(b"0\r\n\r\n")


def _wait(connection: socket.socket, seconds: float) -> None:
    readable, _, _ = select.select([connection], [], [], seconds)
    if readable and not connection.recv(1):
        raise _Left
