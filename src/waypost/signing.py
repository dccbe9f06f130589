"""Tokens: signed, not stored, so that they hold in every location at once and are checked without a read.

`wp1.{role}.{code}.{expires}.{signature}`: version, `host` or `guest`, the session, Unix seconds in decimal, and 43
characters of base64url without padding: the HMAC-SHA256 of all that stands before. The whole token is computed anew
and compared, in constant time, so a valid token has one spelling only. Two keys are accepted while one replaces the
other; the first one signs.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from waypost.errors import InvalidToken, TokenExpired

MIN_KEY_BYTES = 32
"""RFC 2104, section 3: a key shorter than the hash (32 bytes) weakens it."""

_TOKEN = re.compile(r"wp1\.(host|guest)\.([0-9A-Z]{8})\.([1-9][0-9]{0,11})\.[A-Za-z0-9_-]{43}")


class Role(StrEnum):
    """What a token makes of its bearer."""

    HOST = "host"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says."""

    role: Role
    code: str
    expires_seconds: int


class Signer:
    """Signs with the first key, accepts any of them."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def sign(self, claims: Claims) -> str:
        """The token that says `claims`."""
        return _sign(self._keys[0], claims)

    def unsign(self, token: str, now_ms: int) -> Claims:
        """What `token` says.

        Raises:
            InvalidToken: it was not signed with one of the keys.
            TokenExpired: it was, and its time is over.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise InvalidToken("The token does not have the form of a token of this service.")
        claims = Claims(Role(match[1]), match[2], int(match[3]))
        # Every key is tried, whichever fits: the time taken says nothing about which one it was.
        fits = [hmac.compare_digest(_sign(key, claims), token) for key in self._keys]
        if not any(fits):
            raise InvalidToken("The token's signature does not fit: it was changed, or signed with another key.")
        if claims.expires_seconds * 1000 <= now_ms:
            raise TokenExpired("The token's time is over; open a new session or join it again.")
        return claims


def _sign(key: bytes, claims: Claims) -> str:
    text = f"wp1.{claims.role}.{claims.code}.{claims.expires_seconds}"
    signature = urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
    return f"{text}.{signature}"
