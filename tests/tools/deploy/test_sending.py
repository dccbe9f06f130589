"""HTTP by the standard library: every status is a reply, a redirect too, and no reply is a sentence."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tools.deploy.sending import Reply, Sent, Unreachable, send


class Echo(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "/200")
        self.send_header("X-Token", self.headers.get("Authorization", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_every_status_is_a_reply(url: str, status: int) -> None:
    reply = send(Sent("PUT", f"{url}/{status}", {"a": 1}, {"Authorization": "Bearer t"}))
    assert (reply.status, reply.json(), reply.headers["x-token"]) == (status, {"a": 1}, "Bearer t")


def test_a_body_that_is_no_json_is_none() -> None:
    assert Reply(200, {}, b"<html>").json() is None


def test_no_reply_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Nothing listens there.
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=rf"^127.0.0.1:{port} can't be reached \(.+\). Is this machine online\?$"):
            send(Sent("GET", f"http://127.0.0.1:{port}/"))


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable, match="does not answer in time"):
            send(Sent("GET", f"http://127.0.0.1:{port}/", patience=0.05))


def test_a_server_that_speaks_no_http_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable, match="can't be reached"):
            send(Sent("GET", f"http://127.0.0.1:{server.getsockname()[1]}/"))
        thread.join()


def test_a_certificate_that_is_not_trusted_is_named() -> None:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "self-signed certificate"
    from tools.deploy.sending import _sentence

    said = _sentence("https://waypost.example/health", error)
    assert said == "The certificate of waypost.example is not valid: self-signed certificate."
