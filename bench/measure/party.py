"""A tab, its agent and a chat on one server, and how long each of their calls waits: `Party`.

The tab answers each request when it is told to, and notes when it came. Every caller has connections of its own, which
stay open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from bench.measure.arrivals import new_mark
from bench.measure.calls import ARGS, RESULT
from bench.measure.marked_events import MarkedEvents, more_of
from bench.measure.wire import Connection, Sender
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
        self._requests = MarkedEvents(
            self._port, self._host.message("GET", f"/api/stream?code={self._code}"), "request"
        )
        self._stack.callback(self._requests.close)
        self._responses: MarkedEvents | None = None
        return self

    def join(self) -> None:
        """Opens the guest's stream."""
        stream = self._guest.message("GET", f"/api/stream?code={self._code}")
        self._responses = MarkedEvents(self._port, stream, "response")
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
                received += more_of(connection, received)
            seconds = time.perf_counter() - sent
            # To its end: the next question is refused while an answer is being written.
            while not received.endswith(b"0\r\n\r\n"):
                received += more_of(connection, received)
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


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
