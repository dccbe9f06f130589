"""Everything that this client raises. A tool's error, a refusal by the server and a lost connection differ by class.

WaypostError
├── ConfigError          the program calls this library in a way that can't work
├── Closed               the client was closed
├── TransportError       no complete reply arrived
├── ApiError             the server refused the request
│   ├── BadRequest  Unauthorized  Forbidden  NotFound  Gone  Conflict  PreconditionFailed  TooLarge
│   └── RateLimited  Unavailable
├── ToolError            the tool answered with an error
├── CallTimeout          no answer came in time; the call stays open
├── SessionOver          the session has ended
└── DecryptionError      a message of an encrypted session could not be authenticated
"""

from __future__ import annotations

from typing import Any


class WaypostError(Exception):
    """The base of all. `code` is stable, for programs; `message` is for people."""

    def __init__(self, code: str, message: str) -> None:
        # All arguments go to the base, so that a copy made by pickle (a process pool, a task queue) is whole.
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class ConfigError(WaypostError):
    """The program has to be changed: an address is missing, a definition is wrong, a client is used in another loop."""


class Closed(WaypostError):
    """The client was closed before this use."""


class TransportError(WaypostError):
    """No complete reply arrived. It is unknown whether the server carried out the request, unless `never_sent`."""

    def __init__(self, message: str, never_sent: bool = False) -> None:
        Exception.__init__(self, message, never_sent)
        self.code = "transport"
        self.message = message
        self.never_sent = never_sent


class ApiError(WaypostError):
    """The server refused the request: its status is no success.

    `title`, `detail`, `code`: of its problem document (RFC 9457). `retry_after`: seconds, if it said so. `request_id`:
    for the operator's log. `problem`: the whole document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        title: str = "",
        retry_after: float | None = None,
        request_id: str | None = None,
        problem: dict[str, Any] | None = None,
    ) -> None:
        Exception.__init__(self, status, code, detail, title, retry_after, request_id, problem)
        self.status = status
        self.code = code
        self.message = self.detail = detail
        self.title = title
        self.retry_after = retry_after
        self.request_id = request_id
        self.problem = problem or {}

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.code})"


class BadRequest(ApiError):
    """400, 422 and every refusal without a class of its own: repeating the request does not help."""


class Unauthorized(ApiError):
    """401: a token or an app key is missing, wrong or expired."""


class Forbidden(ApiError):
    """403: what was presented does not allow this."""


class NotFound(ApiError):
    """404: there is no such session, thread, message, document or page, or no longer."""


class Gone(ApiError):
    """410: it was there, and has ended."""


class Conflict(ApiError):
    """409: it contradicts what is there, such as an id that is in use, or an answer that is running."""


class PreconditionFailed(ApiError):
    """412: the document is not the version that the request named."""


class TooLarge(ApiError):
    """413: the body is over the limit."""


class RateLimited(ApiError):
    """429, after all retries."""


class Unavailable(ApiError):
    """A status from 500, after all retries."""


class ToolError(WaypostError):
    """A tool's error: raised by `call()`, and to be raised by a tool that has one to tell.

    `data`: any JSON. `authenticated`: encryption proves that it comes from the host.
    """

    def __init__(self, code: str, message: str, data: Any = None, authenticated: bool = False) -> None:
        Exception.__init__(self, code, message, data, authenticated)
        self.code = code
        self.message = message
        self.data = data
        self.authenticated = authenticated


class CallTimeout(WaypostError, TimeoutError):
    """No answer came in time. The call stays open: calling again with this `id` goes on waiting for it."""

    def __init__(self, id: str, seconds: float) -> None:
        Exception.__init__(self, id, seconds)
        self.code = "timeout"
        self.message = (
            f"No answer after {seconds:g} s. The call {id} stays open: call again with this id to go on waiting."
        )
        self.id = id
        self.seconds = seconds


class SessionOver(WaypostError):
    """The session has ended, by its host or because its time was over."""


class DecryptionError(WaypostError):
    """A message was changed on the way, sent in the clear, or encrypted with another key. It is unknown whether the
    tool ran."""


def is_final(error: WaypostError) -> bool:
    """Whether the session is gone or access is denied, so that repeating the request can't help."""
    return isinstance(error, ApiError) and error.status in (401, 403, 404, 410)


def is_transient(error: WaypostError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, TransportError):
        return True
    return isinstance(error, ApiError) and (error.status >= 500 or error.status in (408, 425, 429))


def retry_after(error: WaypostError | None) -> float:
    """The seconds that the server asked for; 0 if it did not."""
    return (error.retry_after or 0.0) if isinstance(error, ApiError) else 0.0
