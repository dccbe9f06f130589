"""Answers on their way: each is sent again until the server accepts it, or refuses it for good."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from waypost._async.driver import AsyncDriver
from waypost._core.effects import Flow
from waypost._core.messages import Call as WireCall
from waypost._core.retrying import once, until_done
from waypost._wire import queues
from waypost.errors import WaypostError
from waypost.host.wire import Wire

LOG = logging.getLogger("waypost")


class Request(msgspec.Struct, frozen=True):
    """A call as its host gets it."""

    id: str
    tool: str
    cursor: str = ""
    args: object = None
    replay: bool = False
    traceparent: str | None = None
    tracestate: str | None = None

    @property
    def trace(self) -> dict[str, str]:
        """The headers that make an answer a part of its call's trace."""
        fields = {"traceparent": self.traceparent, "tracestate": self.tracestate if self.traceparent else None}
        return {name: value for name, value in fields.items() if value}


class Outbox:
    """Sends a session's answers."""

    def __init__(self, driver: AsyncDriver, code: str, token: str, wire: Wire) -> None:
        self._driver = driver
        self._code = code
        self._token = token
        self._wire = wire

    async def deliver(
        self, request: Request, answer: bytes, instead: Callable[[bytes, WaypostError], bytes | None]
    ) -> bytes | None:
        """Sends an answer, for as long as it takes. `instead`: what to send in place of one that is refused for good,
        or `None`. Returns what was accepted; `None` if nothing can be."""
        current: bytes | None = answer
        while current is not None:
            try:
                await self._driver.run(self._until_accepted(self._response(request, current, final=True)))
                return current
            except WaypostError as error:
                if error.code == "already_answered":
                    return current
                replacement = instead(current, error)
                LOG.warning("the answer to %s (%s) was refused: %s", request.id, request.tool, error)
                current = replacement
        return None

    async def deliver_in_the_clear(self, request: Request, answer: bytes) -> None:
        """Sends the refusal of a request that was not run."""
        call = queues.post_response(self._code, self._token, request.id, answer, final=True, trace=request.trace)
        try:
            await self._driver.run(self._until_accepted(call))
        except WaypostError as error:
            LOG.warning("the refusal of %s was refused: %s", request.id, error)

    async def report(self, request: Request, report: bytes) -> None:
        """Sends progress once: the answer does not depend on it."""
        answer = b'{"result":%b}' % report
        try:
            await self._driver.run(once(self._response(request, answer, final=False)))
        except WaypostError as error:
            LOG.info("progress of %s was not delivered: %s", request.id, error)

    def _response(self, request: Request, answer: bytes, *, final: bool) -> WireCall[None]:
        body = self._wire.sealed(request.id, request.tool, answer, final=final)
        return queues.post_response(self._code, self._token, request.id, body, final=final, trace=request.trace)

    def _until_accepted(self, call: WireCall[None]) -> Flow[None]:
        return until_done(call, 8.0, lambda delay, error: LOG.info("an answer waits %.1f s: %s", delay, error))
