"""A closed loop of clients: each sends its next request when the last one is answered, until its script is over."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.measure.processes import usage
from bench.measure.rounds import Sample
from bench.measure.wire import TIMEOUT_SECONDS, BadReply, Connection, Reply, ReplyReader


@dataclass
class _Client:
    connection: Connection
    script: Iterator[bytes]
    reader: ReplyReader
    sent_at: float = 0.0

    def send_next(self) -> bool:
        message = next(self.script, None)
        if message is None:
            return False
        self.sent_at = time.perf_counter()
        self.connection.socket.sendall(message)
        return True


@dataclass(frozen=True)
class Load:
    """What a closed loop came to."""

    seconds: float
    latencies: list[float]
    replies: list[Reply]


def drive(port: int, scripts: Sequence[Iterable[bytes]], expected: Sequence[int] = (200, 201, 202)) -> Load:
    """Send each of `scripts` over a connection of its own, concurrently."""
    clients = [_Client(Connection(port), iter(script), ReplyReader()) for script in scripts]
    latencies: list[float] = []
    replies: list[Reply] = []
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for client in clients:
            if client.send_next():
                selector.register(client.connection.socket, selectors.EVENT_READ, client)
        while selector.get_map():
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise BadReply(
                    f"{len(selector.get_map())} clients waited {TIMEOUT_SECONDS:g} s, {len(replies)} were answered"
                )
            for key, _ in ready:
                client = key.data
                data = client.connection.socket.recv(1 << 16)
                if not data:
                    raise BadReply("the server closed the connection")
                reply = client.reader.feed(data)
                if reply is None:
                    continue
                if reply.status not in expected:
                    raise BadReply(f"answered {reply.status}: {reply.body[:300]!r}")
                latencies.append(time.perf_counter() - client.sent_at)
                replies.append(reply)
                if not client.send_next():
                    selector.unregister(client.connection.socket)
        seconds = time.perf_counter() - started
    for client in clients:
        client.connection.close()
    return Load(seconds, latencies, replies)


def rate(port: int, group: int, scripts: Sequence[Iterable[bytes]]) -> Sample:
    """Requests a second, and the CPU that the process group took for each."""
    before = usage(group).cpu_seconds
    load = drive(port, scripts)
    count = len(load.latencies)
    return Sample(count / load.seconds, (usage(group).cpu_seconds - before) / count)


def opening_rate(port: int, group: int, messages: Sequence[bytes], until: bytes) -> Sample:
    """How many connections a second get to see `until` in what they are sent; each is broken off then."""
    before = usage(group).cpu_seconds
    started = time.perf_counter()
    for message in messages:
        connection = Connection(port)
        connection.socket.sendall(message)
        received = b""
        while until not in received:
            data = connection.socket.recv(1 << 16)
            if not data:
                raise BadReply(f"closed after {received[:300]!r}")
            received += data
        break_off(connection.socket)
    seconds = time.perf_counter() - started
    return Sample(len(messages) / seconds, (usage(group).cpu_seconds - before) / len(messages))


def break_off(connection: socket.socket) -> None:
    """Close with a reset: the other side need not wait for anything."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
