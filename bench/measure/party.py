"""A tab, its agent and a chat on one server, and how long each of their calls waits: `Party`.

The tab answers each request when it is told to, and notes when it came. Every caller has connections of its own, which
stay open.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from bench.measure.arrivals import new_mark
from bench.measure.calls import ARGS, RESULT
from bench.measure.load import break_off
from bench.measure.wire import BadReply, Connection, Sender
from bench.subjects.model import WORD

PATIENCE_SECONDS = 40.0
TOOL = {"name": "forecast", "description": "The weather.", "inputSchema": {"type": "object"}}
MCP = {"MCP_Protocol_Version": "2025-11-25", "Accept": "application/json, text/event-stream"}


class Party:
    """The callers of one session, opened with the context. `fields`: header fields of all of them.

    Each method makes one call and returns the seconds that its caller waited.
    """

    def __init__(self, port: int, **fields: str) -> None:
        self._port = port
        self._fields = fields
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._agent, self._tab = (self._stack.enter_context(Connection(self._port)) for _ in range(2))
        opened = self._tab.call(Sender("", **self._fields).message("POST", "/api/sessions", {})).json()
        self._code, token = opened["code"], opened["hostToken"]
        self._guest, self._host = Sender("", **self._fields), Sender(token, **self._fields)
        self._thread = new_mark()
        self._requests = _Events(self._port, self._host.message("GET", f"/api/stream?code={self._code}"), "request")
        self._stack.callback(self._requests.close)
        self._responses: _Events | None = None
        return self

    def join(self) -> None:
        """Opens the guest's stream."""
        stream = self._guest.message("GET", f"/api/stream?code={self._code}")
        self._responses = _Events(self._port, stream, "response")
        self._stack.callback(self._responses.close)

    def name_tools(self) -> None:
        """Tells the tools that MCP clients may call."""
        self._tab.call(self._host.message("PUT", f"/api/sessions/{self._code}/tools", {"tools": [TOOL]}))

    def open(self) -> float:
        return _timed(lambda: self._tab.call(Sender("", **self._fields).message("POST", "/api/sessions", {})))

    def request_accepted(self) -> float:
        message, mark = self._request()
        seconds = _timed(lambda: self._agent.call(message, 202))
        self._respond(mark)
        return seconds

    def to_the_tab(self) -> float:
        message, mark = self._request()
        sent = time.perf_counter()
        self._agent.call(message, 202)
        when, _ = self._requests.wait(mark)
        self._respond(mark)
        return when - sent

    def answer_accepted(self) -> float:
        message, mark = self._request()
        self._agent.call(message, 202)
        return _timed(lambda: self._respond(mark))

    def there_and_back(self, **fields: Any) -> float:
        message, mark = self._request("?wait=30", **fields)
        with self._answering(mark):
            return _timed(lambda: self._agent.call(message, 200))

    def with_an_id(self) -> float:
        return self.there_and_back(id=new_mark())

    def tool_call(self) -> float:
        mark = new_mark()
        params = {"name": "forecast", "arguments": ARGS | {"mark": mark}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        message = Sender("", **self._fields, **MCP).message("POST", f"/mcp/{self._code}", body)
        with self._answering(mark):
            return _timed(lambda: self._agent.call(message, 200))

    def to_the_guest(self) -> float:
        message, mark = self._request()
        assert self._responses is not None
        with self._answering(mark):
            sent = time.perf_counter()
            self._agent.call(message, 202)
            when, _ = self._responses.wait(mark)
        return when - sent

    def poll(self) -> float:
        return _timed(lambda: self._tab.call(self._host.message("GET", f"/api/poll?code={self._code}")))

    def write_document(self) -> float:
        self._document = f"/api/sessions/{self._thread}-0123456789abcdef/documents/{new_mark()}"
        message = self._guest.message("PUT", self._document, RESULT)
        return _timed(lambda: self._agent.call(message))

    def read_document(self) -> float:
        return _timed(lambda: self._agent.call(self._guest.message("GET", self._document)))

    def first_word(self) -> float:
        self._thread = new_mark()
        return self.next_word()

    def next_word(self) -> float:
        """The first word of the next answer in the same thread."""
        message = self._guest.message("POST", "/api/chat", {"threadId": self._thread, "message": "Where to?"})
        with Connection(self._port) as connection:
            sent = time.perf_counter()
            connection.socket.sendall(message)
            received = b""
            while WORD not in received:
                received += _more(connection, received)
            seconds = time.perf_counter() - sent
            # To its end: the next question is refused while an answer is being written.
            while not received.endswith(b"0\r\n\r\n"):
                received += _more(connection, received)
            return seconds

    def _request(self, query: str = "", **fields: Any) -> tuple[bytes, str]:
        mark = new_mark()
        body = {"code": self._code, "tool": "forecast", "args": ARGS | {"mark": mark}, **fields}
        return self._guest.message("POST", f"/api/request{query}", body), mark

    def _respond(self, mark: str) -> None:
        _, request = self._requests.wait(mark)
        # With the mark, so that it is found on the guest's stream.
        body = {"code": self._code, "id": request["id"], "result": {"mark": mark, **RESULT}}
        self._tab.call(self._host.message("POST", "/api/response", body), 202)

    def _answering(self, mark: str) -> _Beside:
        return _Beside(lambda: self._respond(mark))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


class _Beside:
    """Runs `work` in a thread for the length of the `with` block, and waits for its end."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._thread.join(PATIENCE_SECONDS)


class _Events:
    """The events `kind` on a stream, by the mark in them: when each came, and its data."""

    def __init__(self, port: int, message: bytes, kind: str) -> None:
        self._kind = kind
        self._connection = Connection(port)
        self._connection.socket.settimeout(None)
        self._connection.socket.sendall(message)
        self._found: dict[str, tuple[float, dict[str, Any]]] = {}
        self._news = threading.Condition()
        received = b""
        while b"ready" not in received:
            received += _more(self._connection, received)
        self._thread = threading.Thread(target=self._read, args=(received,), daemon=True)
        self._thread.start()

    def wait(self, mark: str) -> tuple[float, dict[str, Any]]:
        with self._news:
            if not self._news.wait_for(lambda: mark in self._found, PATIENCE_SECONDS):
                raise BadReply(f"{mark} did not arrive within {PATIENCE_SECONDS:g} s")
            return self._found[mark]

    def _read(self, received: bytes) -> None:
        while True:
            try:
                data = self._connection.socket.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            now = time.perf_counter()
            *lines, received = (received + data).split(b"\n")
            for found in self._marked(lines):
                with self._news:
                    self._found[found["mark"]] = (now, found)
                    self._news.notify_all()

    def _marked(self, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        for line in lines:
            if line.startswith(b"data: {") and b'"mark"' in line:
                data = json.loads(line[6:])
                mark = (data.get("args") or data.get("result") or {}).get("mark")
                if mark:
                    yield data | {"mark": mark}

    def close(self) -> None:
        break_off(self._connection.socket)
        self._thread.join(10)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _more(connection: Connection, received: bytes) -> bytes:
    data = connection.socket.recv(1 << 16)
    if not data or received[9:12] not in (b"", b"200"):
        raise BadReply(f"no stream: {(received + data)[:300]!r}")
    return data
