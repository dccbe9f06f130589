"""Entity tags and conditional requests: RFC 9110, sections 8.8.3 and 13.

A condition is evaluated against the version that this location sees. KV has no compare-and-set and may be a minute
behind, so two conditional writes within that time may both succeed, and the later one stays: a condition detects most
conflicts, but it is no lock.
"""

import re
from collections.abc import Callable
from hashlib import sha256

import msgspec

from waypost_worker.errors import InvalidHeader, PreconditionFailed

_TAG = re.compile(r'[ \t,]*((?:W/)?"[^"\x00-\x20\x7f]*")[ \t]*(?=,|$)')


def etag_of(text: str) -> str:
    """The strong entity tag of `text`, with its quotes: a digest, equal only for equal texts."""
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


class Conditions(msgspec.Struct, frozen=True):
    """If-Match and If-None-Match of a request: tags, `"*"` for any version, or `None` if the field was not sent.

    The tags are without the weakness mark `W/`. For If-None-Match it makes no difference, since that compares weakly.
    If-Match must compare strongly (section 13.1.1), and here does not: every tag issued here is strong, but an edge
    that compresses a response turns its tag into a weak one
    (https://developers.cloudflare.com/cache/reference/etag-headers/), and a client behind it could never write.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def is_known(self, etag: str) -> bool:
        """Whether the reader has the version `etag` already: then the response is 304.

        Raises:
            PreconditionFailed: If-Match does not name this version.
        """
        if not _holds(self.match, etag):
            raise PreconditionFailed("The version that If-Match names is not the one that is here now.")
        return self.none_match is not None and _holds(self.none_match, etag)

    def check_write(self, etag: str | None) -> None:
        """Accept a write that replaces the version `etag`; `None` means that there is none yet.

        Raises:
            PreconditionFailed: If-Match does not name this version, or If-None-Match does.
        """
        if not _holds(self.match, etag):
            raise PreconditionFailed("The version that If-Match names is not the one that is here now: read it again.")
        if self.none_match is not None and _holds(self.none_match, etag):
            raise PreconditionFailed("If-None-Match excludes the version that is here now.")


ANY = frozenset({"*"})
UNCONDITIONAL = Conditions()


def parse_conditions(header: Callable[[str], str | None]) -> Conditions:
    """Parses the conditions of a request. `header` returns a field's value, or `None` if it was not sent.

    Raises:
        InvalidHeader: a field is neither `*` nor a list of tags. Ignoring it would make the write unconditional.
    """
    return Conditions(
        _parse_tags(header("if-match"), "If-Match"), _parse_tags(header("if-none-match"), "If-None-Match")
    )


def _parse_tags(field: str | None, name: str) -> frozenset[str] | None:
    if field is None:
        return None
    # A list may have empty elements (section 5.6.1).
    text = field.strip(" \t,")
    if text == "*":
        return ANY
    tags = set()
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None:
            raise InvalidHeader(f'{name} is * or a list of ETags, each in its double quotes, like "0f3a".')
        tags.add(match[1].removeprefix("W/"))
        position = match.end()
    return frozenset(tags)


def _holds(tags: frozenset[str] | None, etag: str | None) -> bool:
    """Whether `tags` match the version `etag`. No condition always matches; without a version not even `*` does."""
    return tags is None or (etag is not None and (tags == ANY or etag in tags))
