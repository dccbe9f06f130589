"""The body of `POST /api/response`. Its result is checked as JSON and kept as it is: decoded, 8 MiB of small values
take twenty times as much."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import BodyTooLarge, InvalidBody, InvalidJson
from waypost_worker.http.json_body import Body, compact_json, decode_again, decode_json, read_bytes
from waypost_worker.limits import (
    MAX_BODY_BYTES,
    MAX_ERROR_CODE_LENGTH,
    MAX_ERROR_MESSAGE_LENGTH,
    MAX_RESPONSE_BODY_BYTES,
    MAX_RESULT_BYTES,
)
from waypost_worker.queues.message import ErrorBody
from waypost_worker.security.tokens import Claims, Role


class ErrorInBody(Body, frozen=True):
    """The error instead of a result."""

    code: Annotated[str, Meta(min_length=1, max_length=MAX_ERROR_CODE_LENGTH)]
    """The error in a word."""
    message: Annotated[str, Meta(max_length=MAX_ERROR_MESSAGE_LENGTH)]
    """A sentence for a person, or for a model."""
    data: Any | UnsetType = UNSET
    """Any JSON."""


class ResponseBody(Body, frozen=True):
    """A result or an error."""

    code: str
    """The session."""
    id: str
    """The id of the request that is answered."""
    result: msgspec.Raw | UnsetType = UNSET
    """What the tool returned: any JSON."""
    error: ErrorInBody | UnsetType = UNSET
    """The error instead of a result."""
    final: bool = True
    """False for progress, of which there may be any number. The first final response counts."""


class _Parts(Body, frozen=True):
    code: msgspec.Raw | UnsetType = UNSET
    id: msgspec.Raw | UnsetType = UNSET
    result: msgspec.Raw | UnsetType = UNSET
    error: msgspec.Raw | UnsetType = UNSET
    final: msgspec.Raw | UnsetType = UNSET


async def read_response(context: RequestContext, claims: Claims | None) -> ResponseBody:
    """The body of a response, from a caller with these claims.

    Raises:
        as `read_body`
    """
    is_host = claims is not None and claims.role is Role.HOST
    body = await read_bytes(context.request, MAX_RESPONSE_BODY_BYTES if is_host else MAX_BODY_BYTES)
    return decode_response(body)


def decode_response(body: bytes) -> ResponseBody:
    """The response that the JSON `body` contains.

    Raises:
        InvalidEncoding, InvalidJson, InvalidBody, UnknownField, BodyTooLarge
    """
    text = compact_json(body or b"{}")
    parts = decode_again(text, _Parts)
    # Without its result the body is small, and is checked like every other one.
    outer = text if parts.result is UNSET else _without_result(text, parts)
    if len(outer) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"A response may have {MAX_BODY_BYTES} bytes besides its result.")
    response = decode_json(outer, ResponseBody)
    if (parts.result is UNSET) == (response.error is UNSET):
        raise InvalidBody("A response has either a result or an error.")
    if parts.result is UNSET:
        return response
    size, limit = len(parts.result), MAX_RESULT_BYTES if response.final else MAX_BODY_BYTES
    if size > limit:
        what = "A result" if response.final else "A progress report"
        raise BodyTooLarge(f"{what} may have {limit} bytes of JSON; this one has {size}.")
    return msgspec.structs.replace(response, result=parts.result)


def _without_result(text: bytes, parts: _Parts) -> bytes:
    """`text`, the compact JSON of `parts`, with 0 for its result."""
    fields = {name: value for name in parts.__struct_fields__ if (value := getattr(parts, name)) is not UNSET}
    if len(text) != 1 + sum(len(name) + len(value) + 4 for name, value in fields.items()):
        raise InvalidJson("The response has the same name twice, or writes a name with escapes.")
    return msgspec.json.encode({**fields, "result": 0})


def error_of(body: ResponseBody) -> ErrorBody | UnsetType:
    """The error of `body` as it is stored."""
    return UNSET if body.error is UNSET else ErrorBody(body.error.code, body.error.message, body.error.data)
