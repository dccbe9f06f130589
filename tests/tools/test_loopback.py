"""The IPv6 loopback address is served too, where the machine has one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.ipv6 import needs_ipv6
from tests.support.waiting import eventually
from tools.local.harness.worker import free_port
from tools.local.loopback import IPV6, SecondLoopback, listen

SECONDS = 120


@contextmanager
def echo() -> Iterator[int]:
    """The port of a server on 127.0.0.1 that sends back what it gets, and then its end."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1000):
                    connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(SECONDS)


def read_all(connection: socket.socket) -> bytes:
    connection.settimeout(SECONDS)
    return b"".join(iter(lambda: connection.recv(100_000), b""))


@needs_ipv6
def test_connections_are_passed_on_to_their_end() -> None:
    with echo() as port, SecondLoopback(listen(port), port):
        for _ in range(3):
            with socket.create_connection((IPV6, port), SECONDS) as connection:
                sender = threading.Thread(target=connection.sendall, args=(b"x" * 1_000_000,))
                sender.start()
                sender.join(0.01)
                threading.Thread(
                    target=lambda sender=sender, connection=connection: (sender.join(), connection.shutdown(1))
                ).start()
                assert read_all(connection) == b"x" * 1_000_000


@needs_ipv6
def test_a_connection_ends_where_nothing_listens_yet() -> None:
    port = free_port()
    with SecondLoopback(listen(port), port), socket.create_connection((IPV6, port), SECONDS) as connection:
        assert read_all(connection) == b""


@needs_ipv6
def test_open_connections_end_with_it_and_the_port_is_free_again() -> None:
    with echo() as port:
        with SecondLoopback(listen(port), port):
            connection = socket.create_connection((IPV6, port), SECONDS)
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        with connection:
            assert read_all(connection) == b""
        again = eventually(lambda: listen(port))
        assert again is not None
        again.close()


@needs_ipv6
def test_a_port_that_another_program_has_is_an_error() -> None:
    with socket.create_server((IPV6, 0), family=socket.AF_INET6) as taken, pytest.raises(OSError, match="in use"):
        listen(taken.getsockname()[1])


def test_a_machine_without_ipv6_is_served_by_ipv4_alone() -> None:
    port = free_port()
    # An address that no machine has stands for the one that this machine may have.
    listener = listen(port, "2001:db8::1")
    assert listener is None
    with SecondLoopback(listener, port):
        pass
