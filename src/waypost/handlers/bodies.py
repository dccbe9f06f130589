"""Bodies in: read within their limit, decoded as JSON into a type, refused with a sentence that says what is wrong."""

import re
from collections.abc import Callable
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

T = TypeVar("T")

# The closing quote is optional: a string that is never closed is one token to the end, not tried again at each quote.
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Base of every body: closed, so that a misspelt option is told and not ignored."""


async def read_body(request: Request, type_: type[T], limit: int = MAX_BODY_BYTES) -> T:
    """The body of `request`, of at most `limit` bytes, as a `type_`.

    Raises:
        UnsupportedMediaType, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    return decode_json(await read_bytes(request, limit) or b"{}", type_)


async def read_json_text(request: Request) -> str:
    """The body of `request`, letter by letter as it was sent: one JSON document of any type.

    Raises:
        UnsupportedMediaType, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody
    """
    body = await read_bytes(request, MAX_BODY_BYTES)
    _decode(body, msgspec.json.decode)
    return body.decode()


async def read_bytes(request: Request, limit: int = MAX_BODY_BYTES, media_type: str = "application/json") -> bytes:
    """The body of `request`, declared to be of `media_type` and of at most `limit` bytes; empty if there is none.

    Raises:
        UnsupportedMediaType, BodyTooLarge
    """
    if request.headers.get("content-encoding") not in (None, "", "identity"):
        raise UnsupportedMediaType("Send the body without Content-Encoding; compressed bodies are not taken.")
    declared = request.headers.get("content-length") or "0"
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    body = await request.read_body(limit)
    if body is None:
        raise _too_large(limit)
    if body and declared_type(request) != media_type:
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")
    return body


def declared_type(request: Request) -> str:
    """The media type of the body of `request`, in lower case and without its parameters."""
    return (request.headers.get("content-type") or "").partition(";")[0].strip().lower()


def decode_json(body: bytes, type_: type[T]) -> T:
    """`body` as a `type_`.

    Raises:
        InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    return _decode(body, lambda text: msgspec.json.decode(text, type=type_))


def _decode(body: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        body.decode()
        if is_nested_deeper(body, MAX_JSON_DEPTH):
            raise InvalidJson(f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep.")
        return decode(body)
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


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body may have {limit} bytes.")
