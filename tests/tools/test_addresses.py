"""Where `make dev` can listen, why it can't, and where the network finds it."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tools.local.addresses import is_waypost, network_url, reason_of, why_not
from tools.local.harness.worker import free_port


@contextmanager
def serving(body: bytes) -> Iterator[int]:
    """A program that answers every request with `body`; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


HEALTH = json.dumps({"status": "ok", "storage": "kv", "signingKeys": []}).encode()


def test_a_free_port_is_no_problem() -> None:
    assert why_not("127.0.0.1", free_port()) is None


def test_a_port_that_another_waypost_has_is_said_to_be_its() -> None:
    with serving(HEALTH) as port:
        assert why_not("127.0.0.1", port) == (
            f"Waypost already runs on http://localhost:{port}; to run another one too: make dev PORT=9000"
        )


@pytest.mark.parametrize("body", [b"Hello", b"[]", b'{"storage": "kv"}'])
def test_a_port_that_another_program_has_is_taken(body: bytes) -> None:
    with serving(body) as port:
        assert (
            why_not("127.0.0.1", port) == f"Port {port} of 127.0.0.1 is taken; choose another one: make dev PORT=9000"
        )


def test_what_answers_nothing_is_no_waypost() -> None:
    assert not is_waypost(free_port())


def test_an_address_that_is_not_this_machines_is_said_to_be_none() -> None:
    # An address of the documentation (RFC 5737).
    reason = "203.0.113.7 is no address of this machine; HOST=0.0.0.0 listens on all that it has."
    assert why_not("203.0.113.7", free_port()) == reason


def test_a_name_that_is_unknown_is_said_to_be_so() -> None:
    # No name at all, so that no network is asked.
    assert "does not know the name a..b" in (why_not("a..b", free_port()) or "")


def test_a_port_that_needs_more_rights_is_said_to_need_them() -> None:
    # As root, which containers run as, every port is free.
    sentence = "Port 80 needs the rights of an administrator; choose another one: make dev PORT=9000"
    assert reason_of(errno.EACCES, "127.0.0.1", 80) == sentence


def test_what_listens_on_one_address_has_no_other_one_in_the_network() -> None:
    assert network_url("127.0.0.1", 8787) is None
    assert network_url("localhost", 8787) is None


def test_what_listens_everywhere_is_found_at_this_machines_address() -> None:
    url = network_url("0.0.0.0", 8787)  # noqa: S104
    if url is None:
        pytest.skip("this machine is in no network")
    host = url.removeprefix("http://").removesuffix(":8787")
    # It is an address that this machine can listen on.
    with socket.create_server((host, 0)):
        assert not host.startswith("127.")
