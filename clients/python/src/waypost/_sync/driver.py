"""Runs the core's flows on httpx2, in the calling thread. Several threads may use one client."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import httpx2

from waypost._core.config import Config
from waypost._core.connecting import FAILURES, client_options, closed, failure, lower, request_options
from waypost._core.effects import (
    Effect,
    Emit,
    Flow,
    Now,
    Open,
    Outcome,
    Read,
    Send,
    Shut,
    Sleep,
    advance,
    next_effect,
)
from waypost._core.messages import Call, Reply
from waypost._core.retrying import Retry, sending
from waypost.errors import TransportError, WaypostError

T = TypeVar("T")


class Driver:
    """Runs flows."""

    def __init__(self, config: Config, retry: Retry, http_client: httpx2.Client | None) -> None:
        self.config = config
        self.retry = retry
        self._is_ours = http_client is None
        # Made here and not when it is first used: two threads could make two.
        self._client = http_client or httpx2.Client(**client_options())
        self._is_closed = False

    def send(self, call: Call[T]) -> T:
        """Sends a call, with retries."""
        return self.run(sending(call, self.retry))

    def run(self, flow: Flow[T]) -> T:
        """Runs a flow that emits nothing, and returns its result."""
        connection, outcome = _Connection(), Outcome()
        try:
            while True:
                outcome = self._do(advance(flow, outcome), connection)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()
            connection.close()

    def iterate(self, flow: Flow[Any]) -> Generator[Any, None, None]:
        """Yields what a flow emits."""
        connection, outcome = _Connection(), Outcome()
        try:
            while (effect := next_effect(flow, outcome)) is not None:
                outcome = self._do(effect, connection)
                if isinstance(effect, Emit):
                    yield effect.value
        finally:
            flow.close()
            connection.close()

    def finish_despite_cancellation(self, flow: Flow[Any]) -> None:
        """Sends what a flow sends first, after Ctrl-C: a second Ctrl-C ends that too."""
        connection = _Connection()
        try:
            effect = next_effect(flow, Outcome())
            while isinstance(effect, Now):
                effect = next_effect(flow, self._do(effect, connection))
            if isinstance(effect, Send):
                self._do(effect, connection)
        except WaypostError:
            # What ends the program must be seen, not that the server did not hear of it.
            pass
        finally:
            flow.close()

    def close(self) -> None:
        """Closes the connections. May be called again."""
        self._is_closed = True
        if self._is_ours:
            self._client.close()

    def _do(self, effect: Effect, connection: _Connection) -> Outcome:
        try:
            return Outcome(self._result(effect, connection))
        except TransportError as error:
            return Outcome(error=error)

    def _result(self, effect: Effect, connection: _Connection) -> Any:
        if isinstance(effect, Now):
            return time.monotonic()
        if isinstance(effect, Sleep):
            return time.sleep(effect.seconds)
        if isinstance(effect, Send):
            return self._send(effect)
        if isinstance(effect, Open):
            return self._open(effect, connection)
        if isinstance(effect, Read):
            return self._read(effect, connection)
        if isinstance(effect, Shut):
            return connection.close()
        return None

    def _send(self, effect: Send) -> Reply:
        client = self._ready()
        options = request_options(self.config.base_url, effect.request, self.config.app_key, effect.request.patience)
        try:
            response = client.send(client.build_request(**options), follow_redirects=False)
        except FAILURES as error:
            raise failure(error, self.config.base_url) from error
        return Reply(response.status_code, lower(response.headers.items()), response.content)

    def _open(self, effect: Open, connection: _Connection) -> Reply:
        client = self._ready()
        connection.close()
        options = request_options(self.config.base_url, effect.request, self.config.app_key, effect.silence)
        try:
            response = client.send(client.build_request(**options), stream=True, follow_redirects=False)
            connection.hold(response)
            body = b"" if response.status_code == 200 else response.read()
        except FAILURES as error:
            raise failure(error, self.config.base_url) from error
        return Reply(response.status_code, lower(response.headers.items()), body)

    def _read(self, effect: Read, connection: _Connection) -> bytes | None:
        # A read can't be ended early here: heartbeats bring it back to this line.
        if effect.until is not None and time.monotonic() >= effect.until:
            return b""
        try:
            return connection.read()
        except FAILURES as error:
            raise failure(error, self.config.base_url) from error

    def _ready(self) -> httpx2.Client:
        if self._is_closed:
            raise closed()
        return self._client


class _Connection:
    """The open connection of a flow, if there is one."""

    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self._chunks: Generator[bytes, None, None] | None = None

    def hold(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = (chunk for chunk in response.iter_bytes() if chunk)

    def read(self) -> bytes | None:
        """The next bytes, at least one; `None` at the end."""
        return None if self._chunks is None else next(self._chunks, None)

    def close(self) -> None:
        response, chunks, self._response, self._chunks = self._response, self._chunks, None, None
        if response is not None and chunks is not None:
            chunks.close()
            response.close()
