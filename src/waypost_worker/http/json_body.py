"""Request bodies: read within their limit and decoded as JSON into a type, or refused with the reason."""

import re
from codecs import getincrementaldecoder
from itertools import accumulate
from typing import TypeVar

import msgspec

from waypost_worker.errors import (
    BodyTooLarge,
    InvalidBody,
    InvalidEncoding,
    InvalidJson,
    UnknownField,
    UnsupportedMediaType,
)
from waypost_worker.http.messages import Request, content_length
from waypost_worker.http.well_formed import well_formed
from waypost_worker.limits import MAX_BODY_BYTES, MAX_CONTENT_OBJECTS, MAX_JSON_DEPTH, MAX_JSON_ELEMENTS, MAX_JSON_NAMES

T = TypeVar("T")

JSON = "application/json"
_PIECE = 64 * 1024
_Utf8Decoder = getincrementaldecoder("utf-8")

# The closing quote is optional: a string that is never closed is one token to the end, not tried again at each quote.
_A_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_QUOTE_OR_COLON_AS_NUMBER = re.compile(rb"\\u00(?:22|3[aA])")


class Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Base of every body. Unknown fields are refused, so that a misspelt option is not ignored."""


async def read_body(request: Request, type_: type[T], limit: int = MAX_BODY_BYTES) -> T:
    """The body of `request`, of at most `limit` bytes, as a `type_`.

    Raises:
        UnsupportedMediaType, BodyTimeout, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    return decode_json(await read_bytes(request, limit) or b"{}", type_)


async def read_json_text(request: Request) -> str:
    """The body of `request`, unchanged but for halves of surrogate pairs: one JSON document of any type.

    Raises:
        UnsupportedMediaType, BodyTimeout, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody
    """
    body = await read_bytes(request, MAX_BODY_BYTES)
    with _REFUSALS:
        _check_text(body)
        _check_names(body)
    return body.decode()


async def read_bytes(request: Request, limit: int = MAX_BODY_BYTES, *media_types: str) -> bytes:
    """The body of `request`, declared to be of one of `media_types` (none: JSON) and of at most `limit` bytes; empty if
    there is none. Escaped halves of surrogate pairs in it are replaced.

    Raises:
        UnsupportedMediaType, BodyTimeout, BodyTooLarge
    """
    if request.headers.get("content-encoding") not in (None, "", "identity"):
        raise UnsupportedMediaType("Send the body without Content-Encoding; compressed bodies are not accepted.")
    if (content_length(request.headers) or 0) > limit:
        raise _too_large(limit)
    body = await request.read_body(limit)
    if body is None:
        raise _too_large(limit)
    if body and declared_type(request) not in (media_types or (JSON,)):
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")
    return well_formed(body)


def declared_type(request: Request) -> str:
    """The media type of the body of `request`, in lower case and without its parameters; empty if there is none, or
    more than one: fields that are sent twice arrive joined with a comma.

    A charset changes nothing: JSON has no such parameter (RFC 8259, section 11) and is always UTF-8.
    """
    declared = request.headers.get("content-type") or ""
    return "" if "," in declared else declared.partition(";")[0].strip().lower()


def decode_json(body: bytes, type_: type[T]) -> T:
    """`body` as a `type_`.

    Raises:
        InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    with _REFUSALS:
        _check_text(body)
        # With a single name there is nothing to compare; most short bodies have no more.
        if body.count(b":") > 1:
            _check_names(body)
    return decode_again(body, type_)


def decode_large(body: bytes, type_: type[T]) -> T:
    """The same for a body with large texts, which only `type_` decodes; an object may have a name twice, of which the
    last counts.

    Raises:
        InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    with _REFUSALS:
        _check_text(body)
    return decode_again(body, type_)


def decode_again(body: bytes, type_: type[T]) -> T:
    """`body` as a `type_`, after `decode_json` has checked it as a text.

    Raises:
        InvalidBody, UnknownField
    """
    with _REFUSALS:
        return msgspec.json.decode(body, type=type_)


def compact_json(body: bytes) -> bytes:
    """The JSON text `body` without white space. Of any size: its values are not decoded, and names may be there twice.

    Raises:
        InvalidEncoding, InvalidJson
    """
    with _REFUSALS:
        _check_encoding(body)
        text = msgspec.json.format(body, indent=-1)
        _check_depth(text)
    return text


class _Refusals:
    """Translates decoding errors into errors of this API. One shared object, since each request enters it two or three
    times."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if isinstance(error, UnicodeDecodeError):
            raise InvalidEncoding("JSON is sent as UTF-8; this body is not.") from error
        if isinstance(error, msgspec.ValidationError):
            # msgspec's sentences name fields and types, never the values that were sent.
            if "unknown field" in str(error):
                raise UnknownField(f"{error}.") from error
            raise InvalidBody(f"{error}.") from error
        if isinstance(error, msgspec.DecodeError):
            raise InvalidJson(f"{error}.") from error


_REFUSALS = _Refusals()


def _check_text(body: bytes) -> None:
    _check_encoding(body)
    _check_depth(body)
    # Commas also occur inside a text and between members, so elements are counted exactly before a body is refused.
    if body.count(b",") + body.count(b"[") > MAX_JSON_ELEMENTS and count_elements(body) > MAX_JSON_ELEMENTS:
        raise InvalidJson(f"The arrays in the JSON have more than {MAX_JSON_ELEMENTS} elements.")


def _check_encoding(body: bytes) -> None:
    if not body.isascii():
        decoder = _Utf8Decoder()
        # In pieces: one emoji makes each character of a text take four bytes.
        for start in range(0, len(body), _PIECE):
            decoder.decode(body[start : start + _PIECE], start + _PIECE >= len(body))


def _check_depth(body: bytes) -> None:
    if is_nested_deeper(body, MAX_JSON_DEPTH):
        raise InvalidJson(f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep.")


def _check_names(body: bytes) -> None:
    compact = msgspec.json.format(body, indent=-1)
    # The end of a name may also occur inside a text, so names are counted exactly before a body is refused.
    if compact.count(b'":') > MAX_JSON_NAMES and _count_names(compact) > MAX_JSON_NAMES:
        raise InvalidJson(f"The objects in the JSON have more than {MAX_JSON_NAMES} names.")
    if repeats_a_name(compact, msgspec.json.decode(body)):
        raise InvalidJson("An object in the JSON has the same name twice; readers differ in which value they take.")


def count_elements(body: bytes) -> int:
    """The elements of all arrays in the JSON text `body`, together.

    Raises:
        msgspec.DecodeError: it is no JSON.
    """
    text = _A_STRING.sub(b"0", msgspec.json.format(body, indent=-1))
    # Commas are between elements and between members; each array and object that is not empty has one more than commas.
    filled = sum(text.count(bracket) - text.count(pair) for bracket, pair in ((b"[", b"[]"), (b"{", b"{}")))
    return text.count(b",") + filled - text.count(b":")


def count_objects(text: msgspec.Raw) -> int:
    """The objects in the JSON `text`, at all levels; maybe too many, up to `MAX_CONTENT_OBJECTS`."""
    body = bytes(text)
    # Braces also occur inside a text, so objects are counted exactly only if there are many.
    count = body.count(b"{")
    return count if count <= MAX_CONTENT_OBJECTS else _A_STRING.sub(b"", body).count(b"{")


def _count_names(text: bytes) -> int:
    return _A_STRING.sub(b"", text).count(b":")


def repeats_a_name(compact: bytes, decoded: object) -> bool:
    """Whether an object in `compact`, a JSON text without white space, has a name twice, also if it is escaped
    differently; `decoded` is its value.

    A decoded object has each name once. So the value is encoded again: if that has fewer names, one was lost. This is
    cheaper than a hook for every object, since Python only counts.
    """
    written = msgspec.json.encode(decoded)
    if _QUOTE_OR_COLON_AS_NUMBER.search(compact):
        # An escape may look like the end of a name in one of the two texts only.
        return _count_names(compact) > _count_names(written)
    return compact.count(b'":') > written.count(b'":')


def is_nested_deeper(body: bytes, levels: int) -> bool:
    """Whether arrays and objects in the JSON text `body` are nested more than `levels` deep."""
    if body.count(b"[") + body.count(b"{") <= levels:
        return False
    brackets = _A_STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS)
    # As signed numbers: 1 opens a level, -1 closes it. A loop in Python would cost several times as much.
    return max(accumulate(memoryview(brackets).cast("b")), default=0) > levels


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body may have {limit} bytes.")
