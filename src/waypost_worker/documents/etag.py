"""Entity tags, and the conditions that a request makes with them: RFC 9110, sections 8.8.3 and 13.

A condition is held against the version that this location sees now. The store has no compare-and-set and may be a
minute behind, so two who write within that time may both be let through, and the later write stays: a condition tells
editors of each other, it is no lock.
"""

import re
from collections.abc import Callable
from hashlib import sha256

import msgspec

from waypost_worker.errors import InvalidHeader, PreconditionFailed

_TAG = re.compile(r'[ \t,]*((?:W/)?"[^"\x00-\x20\x7f]*")[ \t]*(?=,|$)')


def etag_of(text: str) -> str:
    """The tag of exactly this text, quoted as it stands in headers: equal for equal texts only."""
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


class Conditions(msgspec.Struct, frozen=True):
    """What a request asks of the version that there is. `None`: nothing; otherwise tags, or `"*"` for any version.

    Tags stand here without the mark of a weak one. If-None-Match is to be compared so. If-Match is not (section
    13.1.1), and is here all the same: every tag made here is strong, but an edge that compresses a reply passes its tag
    on as a weak one (https://developers.cloudflare.com/cache/reference/etag-headers/), and who read through it could
    never write again.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def is_known(self, etag: str) -> bool:
        """Whether who reads has this version already.

        Raises:
            PreconditionFailed: the reader wants another version, or nothing.
        """
        if not _holds(self.match, etag):
            raise PreconditionFailed("The version that If-Match names is not the one that is here now.")
        return self.none_match is not None and _holds(self.none_match, etag)

    def check_write(self, etag: str | None) -> None:
        """Let a write pass that replaces the version `etag`, or `None` where there is nothing yet.

        Raises:
            PreconditionFailed: the writer meant another version; it is to be read again first.
        """
        if not _holds(self.match, etag):
            raise PreconditionFailed("The version that If-Match names is not the one that is here now: read it again.")
        if self.none_match is not None and _holds(self.none_match, etag):
            raise PreconditionFailed("If-None-Match excludes the version that is here now.")


ANY = frozenset({"*"})
UNCONDITIONAL = Conditions()


def parse_conditions(header: Callable[[str], str | None]) -> Conditions:
    """The conditions of a request; `header` returns a field's value, or `None` if it was not sent.

    Raises:
        InvalidHeader: a field is neither `*` nor a list of tags. To let it pass would be to write unconditionally.
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
        found = _TAG.match(text, position)
        if found is None:
            raise InvalidHeader(f'{name} is * or a list of ETags, each in its double quotes, like "0f3a".')
        tags.add(found[1].removeprefix("W/"))
        position = found.end()
    return frozenset(tags)


def _holds(tags: frozenset[str] | None, etag: str | None) -> bool:
    """Whether a version is among `tags`; no condition is always met, and nothing is not even a `*`."""
    return tags is None or (etag is not None and (tags == ANY or etag in tags))
