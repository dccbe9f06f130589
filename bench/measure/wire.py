"""HTTP/1.1 as a load generator needs it: requests as bytes that are made once, replies read with little work.

The client shares the machine with what it measures, so it must cost a fraction of it.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

TIMEOUT_SECONDS = 45.0
"""Longer than a caller lets the server wait for an answer."""

IDLE_SECONDS = 2.0
"""Servers close a connection that was idle for some seconds; one of this age is replaced by a new one."""

_numbers = count(1)


class BadReply(Exception):
    """The server answered something else than what is measured here."""


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Sender:
    """Makes the requests of one client: from an address of its own, so that no budget is shared."""

    def __init__(self, token: str = "", **fields: str) -> None:
        number = next(_numbers)
        address = f"2001:db8:{number // 0x10000:x}:{number % 0x10000:x}::1"
        lines = ["Host: localhost", f"CF-Connecting-IP: {address}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        self._head = "\r\n".join(lines)

    def message(self, method: str, path: str, body: Any = None) -> bytes:
        """The bytes of one request."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}\r\n"
        if body is None:
            return f"{head}\r\n".encode()
        content = json.dumps(body, separators=(",", ":")).encode()
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


class ReplyReader:
    """Puts replies together from what arrives; one at a time, as HTTP without pipelining has them."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, data: bytes) -> Reply | None:
        """The reply, once all of it is there."""
        self._received += data
        head, ended, rest = self._received.partition(b"\r\n\r\n")
        if not ended:
            return None
        status = int(head[9:12])
        fields = head.lower()
        if b"\r\ntransfer-encoding: chunked" in fields:
            body = unchunked(rest)
        else:
            size = fields.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            length = int(size or b"0")
            body = rest[:length] if len(rest) >= length else None
        if body is None:
            return None
        self._received = b""
        return Reply(status, body)


def unchunked(data: bytes) -> bytes | None:
    """What a chunked body holds, or None while its end is missing."""
    parts: list[bytes] = []
    while True:
        size, ended, data = data.partition(b"\r\n")
        if not ended:
            return None
        length = int(size.partition(b";")[0], 16)
        if not length:
            return b"".join(parts)
        if len(data) < length + 2:
            return None
        parts.append(data[:length])
        data = data[length + 2 :]


class Connection:
    """One kept-open connection, one call after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._used_at = time.monotonic()
        self.socket = self._opened()

    def call(self, message: bytes, *expected: int) -> Reply:
        """The reply to `message`; one of a status that is not `expected` is a `BadReply`."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.socket.close()
            self.socket = self._opened()
        reader = ReplyReader()
        self.socket.sendall(message)
        while (reply := reader.feed(self._some())) is None:
            pass
        if reply.status not in (expected or (200, 201, 202)):
            raise BadReply(f"{message[:200]!r} was answered {reply.status}: {reply.body[:300]!r}")
        self._used_at = time.monotonic()
        return reply

    def _opened(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used_at = time.monotonic()
        return connection

    def close(self) -> None:
        self.socket.close()

    def _some(self) -> bytes:
        data = self.socket.recv(1 << 16)
        if not data:
            raise BadReply("the server closed the connection")
        return data

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
