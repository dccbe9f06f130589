"""A stream that ends is opened again, and a far link loses and reorders nothing."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench.measure.arrivals import Arrivals
from bench.measure.marked_events import MarkedEvents
from bench.subjects.slow_link import SlowLink

HEAD = b"HTTP/1.1 200 OK\r\n\r\nevent: ready\ndata: {}\n\n"


def event(kind: str, mark: str) -> bytes:
    field = "args" if kind == "request" else "result"
    return f'event: {kind}\ndata: {{"id":"1","{field}":{{"mark":"{mark}"}}}}\n\n'.encode()


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_stream_that_ends_is_opened_again_and_closes_while_it_is_silent() -> None:
    streams = iter([HEAD + event("request", "d-1"), HEAD + event("request", "d-1") + event("request", "d-2")])

    class Streams(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            said = next(streams)
            self.request.sendall(said)
            if b"d-2" in said:
                # Silent until the reader goes.
                self.request.recv(1)

    with serving(Streams) as port:
        events = MarkedEvents(port, b"GET / HTTP/1.1\r\n\r\n", "request")
        first, data = events.wait("d-1")
        assert data["id"] == "1"
        assert events.wait("d-2")[0] > first
        assert events.wait("d-1")[0] == first
        events.close()
        assert not events._thread.is_alive()


def test_streams_that_are_held_are_opened_again_where_clients_would() -> None:
    streams = iter([HEAD, HEAD + event("request", "d-000000001")])

    class Streams(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            said = next(streams)
            self.request.sendall(said)
            if said != HEAD:
                self.request.recv(1)

    with serving(Streams) as port, Arrivals(reopens=True) as arrivals:
        arrivals.hold(port, b"GET / HTTP/1.1\r\n\r\n", b"ready")
        assert arrivals.wait_for("d-000000001", 20) > 0
        assert arrivals.closed == 1


def test_a_far_link_passes_bytes_both_ways_in_their_order() -> None:
    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)

    sent = b"".join(b"%d," % number for number in range(20_000))
    with serving(Echo) as port, SlowLink(port, 0.001) as link:
        with socket.create_connection(("127.0.0.1", link.port)) as near:
            near.settimeout(30)
            threading.Thread(target=near.sendall, args=(sent,), daemon=True).start()
            received = b""
            while len(received) < len(sent):
                received += near.recv(1 << 16)
        assert received == sent
