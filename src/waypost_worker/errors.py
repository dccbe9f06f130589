"""Every error the product can raise, in one tree. None of them knows an HTTP status: `http.py` holds that table.

WaypostError
├── BadInput            InvalidJson  InvalidEncoding  InvalidBody  UnknownField  InvalidParameter
│                       InvalidHeader  InvalidCode  InvalidId  InvalidCursor  SessionIdRequired  UnknownAgent
├── Refused             TokenRequired  InvalidToken  TokenExpired  WrongRole  WrongSession
│                       WrongResource  CodeClosed
├── Missing             RouteNotFound  SessionNotFound  SessionEnded  ThreadNotFound  MessageNotFound
│                       DocumentNotFound  PageNotFound
├── Conflict            AlreadyAnswered  SessionTooOld  AnswerRunning  ThreadExists  TooManyDocuments
├── PreconditionFailed
├── TransportError      HostNotAllowed  MethodNotAllowed  BodyTimeout  BodyTooLarge  UriTooLong  UnsupportedMediaType
│                       HeaderTooLarge
├── RateLimited
├── Unavailable         Unconfigured  StorageUnavailable  BudgetSpent  AddressBudgetSpent
└── ModelError          ModelFailed  ModelTimedOut
"""

from typing import ClassVar


class WaypostError(Exception):
    """Base of all. `code` is stable and machine readable; `detail` is a sentence for the person who reads it."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadInput(WaypostError):
    """What was sent can't be right, whoever sends it."""


class InvalidJson(BadInput):
    """The body is not one JSON document, or holds what JSON can't (NaN, a lone surrogate, a number without bounds), or
    an object in it has a name twice, of which one party may read the first and the next the last."""

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
    title = "A query parameter is not usable"


class InvalidHeader(BadInput):
    """A header field that this route goes by is not of its grammar."""

    code = "invalid_header"
    title = "A header field is not usable"


class InvalidCode(BadInput):
    """A session code that can't have been issued: wrong length or characters."""

    code = "invalid_code"
    title = "Not a session code"


class InvalidId(BadInput):
    """An id outside its grammar."""

    code = "invalid_id"
    title = "Not a usable id"


class InvalidCursor(BadInput):
    """A cursor that was not issued for this session and role."""

    code = "invalid_cursor"
    title = "Not a cursor of this stream"


class SessionIdRequired(BadInput):
    """A voice agent's client sends the id of its conversation with every question."""

    code = "session_id_required"
    title = "Session ID required"


class UnknownAgent(BadInput):
    """Agents are configured, and none has this name."""

    code = "unknown_agent"
    title = "No such agent"


class Refused(WaypostError):
    """The caller may not do this."""


class TokenRequired(Refused):
    """The route needs a token and none came."""

    code = "token_required"
    title = "A token is needed"


class InvalidToken(Refused):
    """The token was not issued here, or was changed."""

    code = "invalid_token"
    title = "The token is not valid"


class TokenExpired(Refused):
    """The token was genuine and its time is over."""

    code = "token_expired"
    title = "The token has expired"


class WrongRole(Refused):
    """A genuine token of the other role: a guest where the host is meant, or the reverse."""

    code = "wrong_role"
    title = "The token has the wrong role"


class WrongSession(Refused):
    """A genuine token of another session."""

    code = "wrong_session"
    title = "The token belongs to another session"


class WrongResource(Refused):
    """A genuine token of an app's user, who may reach the threads of another resource."""

    code = "wrong_resource"
    title = "The token belongs to another resource"


class CodeClosed(Refused):
    """A code that lets one guest join, and has."""

    code = "code_closed"
    title = "The code was used"


class OriginNotAllowed(Refused):
    """A web page of another origin asks for something to be done; only those that were named may."""

    code = "origin_not_allowed"
    title = "Not from this page"


class Missing(WaypostError):
    """What was asked for is not there."""


class RouteNotFound(Missing):
    """No route has this path."""

    code = "not_found"
    title = "No such path"


class SessionNotFound(Missing):
    """The session was never there, or its time ran out: the two can't be told apart once KV has dropped the key."""

    code = "session_not_found"
    title = "No such session"


class SessionEnded(Missing):
    """The host ended the session."""

    code = "session_ended"
    title = "The session was ended"


class ThreadNotFound(Missing):
    """The resource has no thread of this name; also one that was deleted, or not used for longer than it is kept."""

    code = "thread_not_found"
    title = "No such thread"


class MessageNotFound(Missing):
    """The conversation has no message of this id any more; only the last ones are kept."""

    code = "message_not_found"
    title = "No such message"


class DocumentNotFound(Missing):
    """The session has no document of this name; it was never put, or its time ran out."""

    code = "document_not_found"
    title = "No such document"


class PageNotFound(Missing):
    """No page has this id; it was never put, or its time ran out."""

    code = "page_not_found"
    title = "No such page"


class Conflict(WaypostError):
    """The request is fine and the state it meets is not."""


class AlreadyAnswered(Conflict):
    """The request to be cancelled has its final answer."""

    code = "already_answered"
    title = "The request has been answered"


class SessionTooOld(Conflict):
    """The session has reached the greatest age a session may have."""

    code = "session_too_old"
    title = "The session can't be extended any more"


class AnswerRunning(Conflict):
    """An answer in this thread is not finished; `generation_id` names it."""

    code = "answer_running"
    title = "An answer is being given"

    def __init__(self, detail: str, generation_id: str) -> None:
        super().__init__(detail)
        self.generation_id = generation_id


class ThreadExists(Conflict):
    """A fork begins a new thread, and there is one of this name."""

    code = "thread_exists"
    title = "The thread exists"


class TooManyDocuments(Conflict):
    """The session has as many documents, or pages, as it may have."""

    code = "too_many_documents"
    title = "The session is full"


class PreconditionFailed(WaypostError):
    """What If-Match or If-None-Match asked for is not the case: somebody else has written in between."""

    code = "precondition_failed"
    title = "It is not the version that was expected"


class TransportError(WaypostError):
    """The HTTP message itself is not acceptable."""


class HostNotAllowed(TransportError):
    """Plain HTTP under a name that anybody may have pointed at this machine (DNS rebinding)."""

    code = "host_not_allowed"
    title = "Not under this name"


class MethodNotAllowed(TransportError):
    """The path exists for other methods: `allowed`, sorted."""

    code = "method_not_allowed"
    title = "The path does not take this method"

    def __init__(self, detail: str, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class BodyTimeout(TransportError):
    """The body did not come, or came too slowly; what has come of it was thrown away."""

    code = "body_timeout"
    title = "The body took too long"


class UriTooLong(TransportError):
    """The path is longer than any that leads somewhere; raised before it was looked at."""

    code = "uri_too_long"
    title = "The path is too long"


class HeaderTooLarge(TransportError):
    """A header field that is read here is over its limit; raised before it was looked at."""

    code = "header_too_large"
    title = "A header field is too large"


class BodyTooLarge(TransportError):
    """The body is over its limit; raised before it was read whole."""

    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaType(TransportError):
    """The body is declared to be something other than plain JSON."""

    code = "unsupported_media_type"
    title = "The body must be application/json"


class RateLimited(WaypostError):
    """The caller's budget is spent; worth trying again after `retry_after_seconds`."""

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(WaypostError):
    """Nothing is wrong with the request; it can't be served now."""

    retry_after_seconds: int | None = None


class Unconfigured(Unavailable):
    """A setting without which nothing is safe is missing; there is never a default key."""

    code = "unconfigured"
    title = "The service is not configured"


class StorageUnavailable(Unavailable):
    """The store refused or failed, also when asked again. What was to be written may or may not have been."""

    code = "storage_unavailable"
    title = "The store does not answer"
    retry_after_seconds = 2


class BudgetSpent(Unavailable):
    """The invocation has used the KV operations it may use."""

    code = "budget_spent"
    title = "The request needs too many store operations"
    retry_after_seconds = 1


class AddressBudgetSpent(BudgetSpent):
    """The next KV operation is not paid for, and the budget of the caller's address is spent.

    It is told as `RateLimited`; loops handle it as `BudgetSpent`, which they meet half way too.
    """

    code = "rate_limited"
    title = "Too many requests"
    retry_after_seconds = 60


class ModelError(WaypostError):
    """The model behind the chat gave no answer. Nothing of the exchange was kept, so it can be asked again.

    `log_detail` is what the model's side said: for the operator, never for the caller.
    """

    def __init__(self, detail: str, log_detail: str = "") -> None:
        super().__init__(detail)
        self.log_detail = log_detail


class ModelFailed(ModelError):
    """It refused, could not be reached, or sent what is no answer."""

    code = "model_failed"
    title = "The model did not answer"


class ModelTimedOut(ModelError):
    """It said nothing for too long."""

    code = "model_timed_out"
    title = "The model took too long"
