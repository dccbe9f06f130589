"""A guest's call: sent until it is answered, over as many connections as it takes. It runs once, since each repeat has
the same id and the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from waypost._core.cipher import Cipher, is_envelope
from waypost._core.effects import Flow, Now, Sleep
from waypost._core.listening import Listener, StreamEvent, Waiting
from waypost._core.messages import Call
from waypost._core.plain_json import to_json
from waypost._core.retrying import Backoff, Retry, once, sending
from waypost._wire import queues
from waypost._wire.queues import Answer
from waypost.errors import (
    ApiError,
    CallTimeout,
    DecryptionError,
    SessionOver,
    ToolError,
    WaypostError,
    is_final,
    is_transient,
    retry_after,
)

WAIT_SECONDS = 25.0
"""How long one request waits at the server: shorter than the time-outs of common proxies."""

CANCEL_RETRY = Retry(max_elapsed=15.0)

# Errors in the clear that mean a wrong key. They can be forged, but all that they can do is make a call fail.
_MISFITS = ("decryption_failed", "not_encrypted")


class OpenCall(msgspec.Struct, frozen=True):
    """A call that was made: `body` is what is sent, the same bytes each time."""

    id: str
    tool: str
    body: bytes


class Caller:
    """Makes the calls of one guest. `code`: as the server writes it, if there is a key."""

    def __init__(self, code: str, token: str | None, key: str | None) -> None:
        self._code = code
        self._token = token
        self._cipher = None if key is None else Cipher(code, key)
        self._cursor = ""

    @property
    def encrypts(self) -> bool:
        return self._cipher is not None

    def begin(self, id: str, tool: str, args: Mapping[str, Any] | None) -> OpenCall:
        """Writes a call down. Nothing is sent. Raises `Unsendable` for arguments that are not JSON."""
        text = to_json(args or {})
        if self._cipher:
            text = to_json(self._cipher.seal("request", id, tool, text))
        return OpenCall(id, tool, queues.request_body(self._code, tool, text, id))

    def submit(self, call: OpenCall, retry: Retry) -> Flow[Answer | None]:
        """Sends a call, and waits for no answer."""
        return sending(self.asking(call, 0), retry)

    def asking(self, call: OpenCall, wait: float) -> Call[Answer | None]:
        """Sends a call once, and waits for its answer for a while."""
        return queues.post_request(call.body, self._token, wait)

    def finish(self, call: OpenCall, seconds: float, on_progress: Callable[[Any], None] | None) -> Flow[Any]:
        """Sends a call (again), and waits for its answer. Returns the result.

        Raises:
            ToolError, CallTimeout, SessionOver, DecryptionError, ApiError
        """
        began: float = yield Now()
        deadline = began + seconds
        if on_progress is None:
            answer = yield from self._wait(call, deadline)
        else:
            answer = yield from self._follow(call, deadline, on_progress)
        if answer is None:
            raise CallTimeout(call.id, seconds)
        return self._result(call, answer)

    def cancel(self, id: str) -> Flow[None]:
        """Takes a call back. Succeeds also if it is answered, or its session is over."""
        try:
            yield from sending(queues.cancel_request(self._code, id, self._token), CANCEL_RETRY)
        except ApiError as error:
            if not is_final(error) and error.status != 409:
                raise

    def _wait(self, call: OpenCall, deadline: float) -> Flow[Answer | None]:
        backoff = Backoff(1.0, 30.0)
        while True:
            now: float = yield Now()
            if now >= deadline:
                return None
            wait = round(min(WAIT_SECONDS, deadline - now), 3)
            try:
                answer = yield from once(self.asking(call, wait))
            except WaypostError as error:
                yield from self.pause(error, backoff, deadline)
            else:
                if answer is not None:
                    return answer
                backoff.reset()

    def _follow(self, call: OpenCall, deadline: float, on_progress: Callable[[Any], None]) -> Flow[Answer | None]:
        """The same by the session's stream, which has the progress too."""
        following = _Following(self, call, deadline, on_progress)
        listener = Listener(
            lambda cursor: queues.open_stream(self._code, self._token, cursor=cursor), self._cursor, deadline
        )
        end = yield from listener.run(following.receive)
        self._cursor = listener.cursor
        if following.failure is not None:
            raise following.failure
        if end is not None and following.answer is None:
            raise end.error or SessionOver("session_over", f"The session is over: {end.reason}.")
        return following.answer

    def pause(self, error: WaypostError, backoff: Backoff, deadline: float) -> Flow[None]:
        """Waits before another attempt. Raises the error if it is final, or is sure to last beyond the deadline."""
        now: float = yield Now()
        if not is_transient(error) or now + retry_after(error) > deadline:
            raise error
        yield Sleep(min(backoff.next(retry_after(error)), max(0.0, deadline - now)))

    def progress(self, call: OpenCall, value: Any) -> tuple[bool, Any]:
        """Whether a report comes from the host, and what it says."""
        if self._cipher is None:
            return True, value
        try:
            return True, self._cipher.open("progress", call.id, call.tool, value)["result"]
        except (DecryptionError, KeyError, TypeError):
            return False, None

    def _result(self, call: OpenCall, answer: Answer) -> Any:
        error = answer.error
        if self._cipher is None:
            if error is not None:
                raise ToolError(error.code, error.message, error.data)
            return answer.result
        if error is not None or not is_envelope(answer.result):
            raise _in_the_clear(error.code if error else "", error.message if error else "")
        opened = self._cipher.open("answer", call.id, call.tool, answer.result)
        failed = opened.get("error") if isinstance(opened, dict) else None
        if isinstance(failed, dict):
            code, message = str(failed.get("code")), str(failed.get("message"))
            raise ToolError(code, message, failed.get("data"), authenticated=True)
        return opened.get("result") if isinstance(opened, dict) else None


class _Following:
    """One call, followed on its session's stream."""

    def __init__(self, caller: Caller, call: OpenCall, deadline: float, on_progress: Callable[[Any], None]) -> None:
        self.answer: Answer | None = None
        self.failure: WaypostError | None = None
        self._caller = caller
        self._call = call
        self._deadline = deadline
        self._on_progress = on_progress
        self._backoff = Backoff(1.0, 30.0)
        self._seen: set[str] = set()

    def receive(self, event: StreamEvent | Waiting) -> Flow[bool]:
        if isinstance(event, Waiting):
            return False
        if event.name == "ready":
            # Not before, so that no progress is missed; after each reconnect, so that no answer is.
            return (yield from self._send())
        data = event.data
        cursor = str(data.get("cursor"))
        if event.name != "response" or data.get("id") != self._call.id or cursor in self._seen:
            return False
        self._seen.add(cursor)
        if data.get("final", True):
            self.answer = msgspec.convert(data, Answer)
            return True
        is_known, value = self._caller.progress(self._call, data.get("result"))
        if is_known:
            self._on_progress(value)
        return False

    def _send(self) -> Flow[bool]:
        while True:
            try:
                self.answer = yield from once(self._caller.asking(self._call, 0))
                return self.answer is not None
            except WaypostError as error:
                try:
                    yield from self._caller.pause(error, self._backoff, self._deadline)
                except WaypostError as failure:
                    self.failure = failure
                    return True


def _in_the_clear(code: str, message: str) -> WaypostError:
    # The server sends this for a call that was taken back. Forging it gains nothing: it could also drop the call.
    if code == "cancelled":
        return ToolError(code, message)
    if code in _MISFITS:
        return DecryptionError(code, message)
    text = "The answer came in the clear, so it need not be the host's: it was dropped."
    return DecryptionError("answer_in_clear", text)
