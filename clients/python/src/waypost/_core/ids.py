"""Ids that are made up here, and codes and links as people write them."""

from __future__ import annotations

import re
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from waypost.errors import ConfigError

# White space, dashes, soft hyphens and zero-width spaces: what the server ignores in a code.
_SEPARATORS = re.compile(
    r"[\t\n\r \u00a0\u00ad\u2000-\u200b\u2010-\u2015\u202f\u2060\u2212\u3000\ufe58\ufe63\uff0d\ufeff-]"
)
_READ_AS = str.maketrans("ILO", "110")


class Invite(msgspec.Struct, frozen=True):
    """What a code or a link says. `base_url`: the server, if it names one. `key`: of an encrypted session."""

    code: str
    key: str | None = None
    base_url: str | None = None


def new_id() -> str:
    """128 random bits, which nothing can guess."""
    return secrets.token_hex(16)


def plain_code(text: str) -> str:
    """A code in the server's spelling: people type any case, spaces, dashes, and letters that look like digits."""
    return _SEPARATORS.sub("", text).upper().translate(_READ_AS)


def read_invite(text: str) -> Invite:
    """Reads a code or a whole link. Raises `ConfigError` for a link without a code, and does not repeat its key."""
    base, mark, fragment = text.partition("#")
    if not mark:
        return Invite(plain_code(text))
    fields = parse_qs(fragment.strip())
    if "join" not in fields:
        raise ConfigError("invalid_link", "This link has no session's code.")
    parts = urlsplit(base.strip())
    base_url = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None
    return Invite(plain_code(fields["join"][0]), fields.get("key", [None])[0], base_url)


def invite_link(base_url: str, code: str, key: str | None) -> str:
    """The link for guests. What follows the # is sent to no server."""
    return f"{base_url}/#{urlencode({'join': code} | ({'key': key} if key else {}))}"
