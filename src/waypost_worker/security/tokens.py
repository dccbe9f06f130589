"""Tokens: signed, not stored, so that they are valid in every location immediately and are checked without a read.

`wp1.{role}.{subject}.{expires}.{signature}`: version; `host` or `guest` and the session's code, or `app` and the id of
a resource (base64url of its UTF-8, without padding); Unix seconds in decimal; and 43 characters of base64url: the
HMAC-SHA256 of everything before it. The whole token is computed again and compared in constant time, so a valid token
has one spelling only. Two keys are accepted while one replaces the other; the first one signs.

A key's fingerprint tells which key a deployment signs with: an HMAC of a fixed text. It is public, and says no more of
the key than every token does, which is an HMAC of a known text too.
"""

import hmac
import re
from enum import StrEnum

import msgspec

from waypost_worker.base64url import decode_base64url, encode_base64url
from waypost_worker.errors import InvalidToken, TokenExpired
from waypost_worker.limits import MAX_APP_ID_KEY_BYTES, MAX_CODE_LENGTH, MIN_CODE_LENGTH

TOKEN_PREFIX = "wp1."  # noqa: S105
"""The beginning of every token, which tells it from an app key."""

_CODE = f"(host|guest)\\.([0-9A-Z]{{{MIN_CODE_LENGTH},{MAX_CODE_LENGTH}}})"
# An id has at most as many bytes in UTF-8 as percent-encoded; four characters of base64url are three bytes.
_RESOURCE = f"(app)\\.([A-Za-z0-9_-]{{2,{-(-MAX_APP_ID_KEY_BYTES * 4 // 3)}}})"
_TOKEN = re.compile(rf"wp1\.(?:{_CODE}|{_RESOURCE})\.([1-9][0-9]{{0,11}})\.[A-Za-z0-9_-]{{43}}")


class Role(StrEnum):
    """The role of a token's bearer."""

    HOST = "host"
    GUEST = "guest"
    APP = "app"


class Claims(msgspec.Struct, frozen=True):
    """The content of a genuine token. `subject`: the code of its session, or the app's resource."""

    role: Role
    subject: str
    expires_seconds: int


class Signer:
    """Signs with the first key, accepts tokens signed with any."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def sign(self, claims: Claims) -> str:
        """The token with these claims."""
        return _sign(self._keys[0], claims)

    def unsign(self, token: str, now_ms: int) -> Claims:
        """The claims of `token`.

        Raises:
            InvalidToken: it was not signed with one of the keys.
            TokenExpired: it was, and has expired.
        """
        claims = _read(token)
        if claims is None:
            raise InvalidToken("The token does not have the form of a token of this service.")
        # Every key is tried, so that the time taken does not tell which one fits.
        fits = [hmac.compare_digest(_sign(key, claims), token) for key in self._keys]
        if not any(fits):
            raise InvalidToken("The token's signature does not fit: it was changed, or signed with another key.")
        if claims.expires_seconds * 1000 <= now_ms:
            raise TokenExpired("The token has expired; open a new session, join it again, or request a new token.")
        return claims


def key_fingerprint(key: bytes) -> str:
    """16 characters of base64url that are the same for the same key, and from which the key can't be derived."""
    return encode_base64url(hmac.digest(key, b"waypost signing key 1", "sha256")[:12])


def owner_id(key: bytes, code: str) -> str:
    """The session id that owns the documents and pages of the session `code`; it can't be derived from the code
    alone."""
    return "s-" + encode_base64url(hmac.digest(key, f"wps1.{code}".encode(), "sha256"))


def _read(token: str) -> Claims | None:
    """The claims of `token` without a check of its signature; `None` if it does not have the form of a token."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    role, code, app, resource, expires = match.groups()
    try:
        # A second spelling of the resource passes here; the caller signs the claims again and compares whole tokens.
        return Claims(Role(role or app), code or decode_base64url(resource).decode(), int(expires))
    except ValueError:
        return None


def _sign(key: bytes, claims: Claims) -> str:
    subject = encode_base64url(claims.subject.encode()) if claims.role is Role.APP else claims.subject
    text = f"{TOKEN_PREFIX}{claims.role}.{subject}.{claims.expires_seconds}"
    return f"{text}.{encode_base64url(hmac.digest(key, text.encode(), 'sha256'))}"
