"""Requests as bytes, and replies however they arrive."""

from __future__ import annotations

import socket
import threading

import pytest

from bench.measure.wire import BadReply, Connection, Reply, ReplyReader, Sender, unchunked

REPLIES = {
    b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-Other: 1\r\n\r\n{}": Reply(202, b"{}"),
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\r\n\r\n1;x=y\r\n}\r\n0\r\n\r\n": Reply(
        200, b"{\r\n}"
    ),
    b"HTTP/1.1 204 No Content\r\n\r\n": Reply(204, b""),
}


@pytest.mark.parametrize("raw", REPLIES)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_reply_is_the_same_however_it_is_cut(raw: bytes, size: int) -> None:
    reader = ReplyReader()
    found = [reader.feed(raw[start : start + size]) for start in range(0, len(raw), size)]
    assert next(reply for reply in found if reply) == REPLIES[raw]


def test_one_reader_reads_one_reply_after_the_other() -> None:
    reader = ReplyReader()
    for raw, reply in REPLIES.items():
        assert reader.feed(raw) == reply


def test_a_chunked_body_without_its_end_is_not_there_yet() -> None:
    assert [unchunked(data) for data in (b"", b"3", b"3\r\nab", b"3\r\nabc\r\n")] == [None] * 4


def test_a_request_says_its_length_and_comes_from_an_address_of_its_own() -> None:
    first, second = Sender("token", X_Isolate="b"), Sender()
    head, _, body = first.message("POST", "/api/request", {"a": "ü"}).partition(b"\r\n\r\n")
    assert (b"Authorization: Bearer token" in head, b"X-Isolate: b" in head) == (True, True)
    assert b"Content-Length: %d" % len(body) in head
    address = [line for line in head.split(b"\r\n") if line.startswith(b"CF-Connecting-IP")]
    assert address[0] not in second.message("GET", "/")


def test_another_status_than_the_expected_one_is_no_measurement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(1000)
                accepted.sendall(b"HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\n\r\nslow")

        serving = threading.Thread(target=serve)
        serving.start()
        with Connection(listening.getsockname()[1]) as connection, pytest.raises(BadReply, match="429: b'slow'"):
            connection.call(Sender().message("GET", "/"))
        serving.join()
