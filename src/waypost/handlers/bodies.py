"""Bodies in: read within their limit, decoded as JSON into a type, refused with a sentence that says what is wrong."""

import re
from typing import TypeVar

import msgspec

from waypost.errors import (
    BodyTooLarge,
    InvalidBody,
    InvalidEncoding,
    InvalidJson,
    UnknownField,
    UnsupportedMediaType,
)
from waypost.http import Request
from waypost.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH

T = TypeVar("T", bound=msgspec.Struct)

# The closing quote is optional: a string that is never closed is one token to the end, not tried again at each quote.
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Base of every body: closed, so that a misspelt option is told and not ignored."""


async def read_body(request: Request, type_: type[T]) -> T:
    """The body of `request` as a `type_`.

    Raises:
        UnsupportedMediaType, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    if request.headers.get("content-encoding") not in (None, "", "identity"):
        raise UnsupportedMediaType("Send the body without Content-Encoding; compressed bodies are not taken.")
    declared = request.headers.get("content-length") or "0"
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_BODY_BYTES:
        raise _too_large()
    body = await request.read_body(MAX_BODY_BYTES)
    if body is None:
        raise _too_large()
    media_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if body and media_type != "application/json":
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")
    return decode_json(body or b"{}", type_)


def decode_json(body: bytes, type_: type[T]) -> T:
    """`body` as a `type_`.

    Raises:
        InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    try:
        body.decode()
        if is_nested_deeper(body, MAX_JSON_DEPTH):
            raise InvalidJson(f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep.")
        return msgspec.json.decode(body, type=type_)
    except UnicodeDecodeError as error:
        raise InvalidEncoding("JSON is sent as UTF-8; this body is not.") from error
    except msgspec.ValidationError as error:
        # msgspec's sentences name fields and types, never the values that were sent.
        if "unknown field" in str(error):
            raise UnknownField(f"{error}.") from error
        raise InvalidBody(f"{error}.") from error
    except msgspec.DecodeError as error:
        raise InvalidJson(f"{error}.") from error


def is_nested_deeper(body: bytes, levels: int) -> bool:
    """Whether arrays and objects in the JSON text `body` are nested more than `levels` deep."""
    if body.count(b"[") + body.count(b"{") <= levels:
        return False
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth > levels:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"A body may have {MAX_BODY_BYTES} bytes.")
