"""Every error that a caller can get, in one tree. None knows its HTTP status: `http/messages.py` has that table.

WaypostError
├── BadInput            InvalidJson  InvalidEncoding  InvalidBody  UnknownField  InvalidParameter
│                       InvalidHeader  InvalidCode  InvalidId  InvalidCursor  InvalidTool  SessionIdRequired
│                       UnknownAgent  UnsupportedPart
├── Refused             TokenRequired  InvalidToken  TokenExpired  WrongRole  WrongSession
│                       WrongResource  WrongSecret  CodeClosed  AddressNotAllowed  OriginNotAllowed
├── Missing             RouteNotFound  SessionNotFound  SessionEnded  AddressNotFound  AddressWithdrawn
│                       ThreadNotFound  MessageNotFound  DocumentNotFound  PageNotFound
├── Conflict            AlreadyAnswered  IdInUse  SessionTooOld  NewerSession  AnswerRunning  ThreadExists
│                       TooManyDocuments
├── PreconditionFailed
├── TransportError      HostNotAllowed  MethodNotAllowed  BodyTimeout  BodyTooLarge  UriTooLong  UnsupportedMediaType
│                       HeaderTooLarge
├── RateLimited
├── TooManyStreams
├── Unavailable         Unconfigured  StorageUnavailable  DailyLimit  BudgetSpent  Busy  Restarting
└── ModelError          ModelFailed  ModelBusy  ModelTimedOut  PromptTooLong
"""

from typing import ClassVar

import msgspec


class WaypostError(Exception):
    """Base of all. `code` is stable and machine readable; `detail` is a sentence for a person. `retry_after_seconds`:
    when to repeat the request; `None` if that is unknown, or would not help."""

    code: ClassVar[str]
    title: ClassVar[str]
    retry_after_seconds: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadInput(WaypostError):
    """The request is invalid for every caller."""


class InvalidJson(BadInput):
    """The body is not one JSON document, or contains what JSON can't (NaN, a number out of range), or an
    object in it has a name twice: one reader would take the first value and the next reader the last."""

    code = "invalid_json"
    title = "The body is not valid JSON"


class InvalidEncoding(BadInput):
    """The body is not UTF-8, the only encoding of JSON on the wire (RFC 8259, section 8.1)."""

    code = "invalid_encoding"
    title = "The body is not UTF-8"


class InvalidBody(BadInput):
    """The body is JSON, but a field is missing, of the wrong type, or out of its range."""

    code = "invalid_body"
    title = "The body does not have the expected shape"


class UnknownField(BadInput):
    """The body has a field that this route does not know; a misspelt option must not pass silently."""

    code = "unknown_field"
    title = "The body has an unknown field"


class InvalidParameter(BadInput):
    """A query parameter is missing, given twice, not of its type, or out of its range."""

    code = "invalid_parameter"
    title = "A query parameter is invalid"


class InvalidHeader(BadInput):
    """A header field that this route uses is malformed."""

    code = "invalid_header"
    title = "A header field is invalid"


class InvalidCode(BadInput):
    """A session code of the wrong length, or with characters that no code has."""

    code = "invalid_code"
    title = "Not a session code"


class InvalidId(BadInput):
    """An id of the wrong length, or with characters that are not allowed."""

    code = "invalid_id"
    title = "Not a valid id"


class InvalidCursor(BadInput):
    """A cursor that was not issued for this session and role."""

    code = "invalid_cursor"
    title = "Not a cursor of this stream"


class SessionIdRequired(BadInput):
    """The question to a voice agent has no `sessionId`; every question needs one."""

    code = "session_id_required"
    title = "Session ID required"


class UnknownAgent(BadInput):
    """Agents are configured, and none has this name."""

    code = "unknown_agent"
    title = "No such agent"


class ToolProblem(msgspec.Struct, frozen=True):
    """One faulty tool of a list."""

    tool: str | None
    """The tool's name; null if its name is no text."""
    index: int
    """Its place in the list, from 0."""
    pointer: str
    """The place in its definition, as a JSON pointer (RFC 6901); empty for the definition as a whole."""
    detail: str
    """A sentence that says what is wrong there."""


class InvalidTool(BadInput):
    """Definitions of tools that clients of MCP refuse, with all tools beside them. Nothing of the list is stored."""

    code = "invalid_tool"
    title = "The definition of a tool is invalid"

    def __init__(self, detail: str, tools: tuple[ToolProblem, ...]) -> None:
        super().__init__(detail)
        self.tools = tools


class UnsupportedPart(BadInput):
    """A part of a message that no model is given here: a URL, a file's id, or another form than this deployment allows
    (`MODEL_PARTS`). The sentence names its place."""

    code = "unsupported_part"
    title = "A part of the message can't be passed on"


class Refused(WaypostError):
    """The caller is not allowed to do this."""


class TokenRequired(Refused):
    """The route needs a token and none was sent."""

    code = "token_required"
    title = "A token is needed"


class InvalidToken(Refused):
    """The token was not issued here, or was changed."""

    code = "invalid_token"
    title = "The token is not valid"


class TokenExpired(Refused):
    """The token is genuine and has expired."""

    code = "token_expired"
    title = "The token has expired"


class WrongRole(Refused):
    """A genuine token of another role: a guest's where the host's is needed, for example."""

    code = "wrong_role"
    title = "The token has the wrong role"


class WrongSession(Refused):
    """A genuine token of another session."""

    code = "wrong_session"
    title = "The token belongs to another session"


class WrongResource(Refused):
    """A genuine app token, for the threads of another resource."""

    code = "wrong_resource"
    title = "The token belongs to another resource"


class CodeClosed(Refused):
    """A code that admits one guest, and has been used."""

    code = "code_closed"
    title = "The code was used"


class WrongSecret(Refused):
    """The secret is not that of the MCP address."""

    code = "wrong_secret"
    title = "Not the secret of this address"


class AddressNotAllowed(Refused):
    """MCP addresses are not used where a code admits one guest only (`REQUIRE_TOKEN` is `once`)."""

    code = "address_not_allowed"
    title = "No MCP addresses here"


class OriginNotAllowed(Refused):
    """The request comes from a web page of an origin that is not allowed."""

    code = "origin_not_allowed"
    title = "The origin is not allowed"


class Missing(WaypostError):
    """The resource of the request does not exist."""


class RouteNotFound(Missing):
    """No route has this path."""

    code = "not_found"
    title = "No such path"


class SessionNotFound(Missing):
    """The session never existed, or has expired: once KV has dropped the key, both look the same."""

    code = "session_not_found"
    title = "No such session"


class SessionEnded(Missing):
    """The host ended the session."""

    code = "session_ended"
    title = "The session was ended"


class AddressNotFound(Missing):
    """No session has taken this MCP address, or none for 30 days."""

    code = "address_not_found"
    title = "No such MCP address"


class AddressWithdrawn(Missing):
    """The browser that had this MCP address has withdrawn it."""

    code = "address_withdrawn"
    title = "The MCP address was withdrawn"


class ThreadNotFound(Missing):
    """The resource has no thread of this name: it never existed, was deleted, or has expired."""

    code = "thread_not_found"
    title = "No such thread"


class MessageNotFound(Missing):
    """The conversation has no message of this id, or no longer: only the last ones are kept."""

    code = "message_not_found"
    title = "No such message"


class DocumentNotFound(Missing):
    """The session has no document of this name: it was never put, was deleted, or has expired."""

    code = "document_not_found"
    title = "No such document"


class PageNotFound(Missing):
    """No page has this id: it was never put, was deleted, or has expired."""

    code = "page_not_found"
    title = "No such page"


class Conflict(WaypostError):
    """The request is valid, but conflicts with the current state."""


class AlreadyAnswered(Conflict):
    """The request to be cancelled has its final response."""

    code = "already_answered"
    title = "The request has been answered"


class IdInUse(Conflict):
    """Another request of the session has this id: with another tool, or with other arguments. That one stands."""

    code = "id_in_use"
    title = "The id belongs to another request"


class SessionTooOld(Conflict):
    """The session has reached the greatest age of a session."""

    code = "session_too_old"
    title = "The session can't be extended further"


class NewerSession(Conflict):
    """A newer session has this MCP address."""

    code = "newer_session"
    title = "A newer session has the address"


class AnswerRunning(Conflict):
    """An answer in this thread is not finished; `generation_id` names it."""

    code = "answer_running"
    title = "An answer is being generated"

    def __init__(self, detail: str, generation_id: str) -> None:
        super().__init__(detail)
        self.generation_id = generation_id


class ThreadExists(Conflict):
    """The name of a fork is taken: a thread has it already."""

    code = "thread_exists"
    title = "The thread exists"


class TooManyDocuments(Conflict):
    """The session has reached its limit of documents or pages."""

    code = "too_many_documents"
    title = "The session is full"


class PreconditionFailed(WaypostError):
    """The condition of If-Match or If-None-Match does not hold: another writer came first."""

    code = "precondition_failed"
    title = "The version is not the expected one"


class TransportError(WaypostError):
    """The HTTP message itself is not acceptable."""


class HostNotAllowed(TransportError):
    """Plain HTTP under a name that anybody may have pointed at this machine (DNS rebinding)."""

    code = "host_not_allowed"
    title = "Not under this name"


class MethodNotAllowed(TransportError):
    """The path exists, but not with this method. `allowed`: the methods it has, sorted."""

    code = "method_not_allowed"
    title = "The path does not take this method"

    def __init__(self, detail: str, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class BodyTimeout(TransportError):
    """The body did not arrive in time; what arrived of it was discarded."""

    code = "body_timeout"
    title = "The body took too long"


class UriTooLong(TransportError):
    """The path is longer than any valid one; raised before it is parsed."""

    code = "uri_too_long"
    title = "The path is too long"


class HeaderTooLarge(TransportError):
    """A header field that this service reads is over its limit; raised before it is parsed."""

    code = "header_too_large"
    title = "A header field is too large"


class BodyTooLarge(TransportError):
    """The body is over its limit; raised before all of it is read."""

    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaType(TransportError):
    """The declared type of the body is not JSON, or it is compressed."""

    code = "unsupported_media_type"
    title = "The body must be application/json"


class RateLimited(WaypostError):
    """The caller's rate limit is reached; retry after `retry_after_seconds`. `policy`: the budget that is spent, as a
    member of the field `RateLimit-Policy`; empty if it has no size to name."""

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after_seconds: int, policy: str = "") -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds
        self.policy = policy


class TooManyStreams(WaypostError):
    """The session or the address has as many open streams and waits as it may have."""

    code = "too_many_streams"
    title = "Too many open streams"
    retry_after_seconds = 5


class Unavailable(WaypostError):
    """The request is valid, but can't be served now."""


class Unconfigured(Unavailable):
    """A required setting is missing or invalid. There is no default signing key."""

    code = "unconfigured"
    title = "The service is not configured"


class StorageUnavailable(Unavailable):
    """KV failed, and so did the retries. A write may or may not have taken effect."""

    code = "storage_unavailable"
    title = "The store does not answer"
    retry_after_seconds = 2


class DailyLimit(Unavailable):
    """The account is on Cloudflare's free plan, and has used up today's KV operations of one kind. Nothing was read or
    written. `retry_after_seconds`: until 00:00 UTC. `operation`: get, put, list or delete."""

    code = "daily_limit"
    title = "The free plan's operations of today are used up"

    def __init__(self, operation: str, retry_after_seconds: int) -> None:
        super().__init__(
            f"Cloudflare's free plan has no KV {operation} operations left for this account today; there are new ones "
            "at 00:00 UTC."
        )
        self.operation = operation
        self.retry_after_seconds = retry_after_seconds


class BudgetSpent(Unavailable):
    """The request needs more KV operations than one invocation may use, or than its address can pay for now."""

    code = "budget_spent"
    title = "The request needs too many store operations"

    def __init__(self, detail: str, retry_after_seconds: int | None = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Busy(Unavailable):
    """This instance of the service has no memory left for the request: too many bodies, streams or answers are in
    work."""

    code = "busy"
    title = "The service is busy"
    retry_after_seconds = 1


class Restarting(Unavailable):
    """This instance of the service is broken, and ends. Nothing was done."""

    code = "restarting"
    title = "The service is restarting"
    retry_after_seconds = 1


class ModelError(WaypostError):
    """The model gave no answer. Neither question nor answer is stored, so the question can be sent again.

    `log_detail` is the error of the model's service: for the operator's log, never for the caller.
    """

    def __init__(self, detail: str, log_detail: str = "") -> None:
        super().__init__(detail)
        self.log_detail = log_detail


class ModelFailed(ModelError):
    """The model's service refused, was not reachable, or sent something that is no answer."""

    code = "model_failed"
    title = "The model did not answer"


class ModelBusy(ModelError):
    """The model's service has too much to do, or its quota is spent. `retry_after_seconds`: what it says, or `None`."""

    code = "model_busy"
    title = "The model is busy"

    def __init__(self, detail: str, log_detail: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(detail, log_detail)
        self.retry_after_seconds = retry_after_seconds


class ModelTimedOut(ModelError):
    """The model was silent for too long."""

    code = "model_timed_out"
    title = "The model took too long"


class PromptTooLong(ModelError):
    """The prompt is longer than the model takes, and so was one half as long."""

    code = "prompt_too_long"
    title = "The prompt is too long for the model"
