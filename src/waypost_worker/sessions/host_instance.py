"""Instances of a session's host: which of several programs with one host's token is the newest.

An instance is one run of a host: a page from its loading to its closing, or a process. It names itself with a random
id. The server adds when it was first connected, and the host sends both when it reconnects: so a host that was away for
a while counts as the same one, whatever its own clock says.
"""

import re

import msgspec

from waypost_worker.errors import InvalidParameter
from waypost_worker.limits import MAX_CLOCK_SKEW_SECONDS, MAX_INSTANCE_ID_LENGTH, MIN_INSTANCE_ID_LENGTH

_INSTANCE = re.compile(
    rf"([A-Za-z0-9_-]{{{MIN_INSTANCE_ID_LENGTH},{MAX_INSTANCE_ID_LENGTH}}})(?:\.([1-9][0-9]{{0,14}}))?"
)


class HostInstance(msgspec.Struct, frozen=True):
    """One instance; `since_ms`: when the server first saw it. As text `id.since_ms`, which its host sends back."""

    id: str
    since_ms: int

    def __str__(self) -> str:
        return f"{self.id}.{self.since_ms}"

    def supersedes(self, other: "HostInstance") -> bool:
        """Whether it is another instance than `other`, and the newer one."""
        return self.id != other.id and (self.since_ms, self.id) > (other.since_ms, other.id)


def parse_instance(text: str, now_ms: int) -> tuple[HostInstance, bool]:
    """`(instance, is_returning)`: an id alone is an instance that connects for the first time, now; an id with its
    time, as an event `ready` has it, is one that returns.

    Raises:
        InvalidParameter: it is neither, or its time is still to come.
    """
    match = _INSTANCE.fullmatch(text)
    if match is None:
        raise InvalidParameter(
            f"instance is an id of {MIN_INSTANCE_ID_LENGTH} to {MAX_INSTANCE_ID_LENGTH} characters out of A-Z a-z 0-9 "
            "_ - or what the event ready has under this name."
        )
    if match[2] is None:
        return HostInstance(match[1], now_ms), False
    instance = HostInstance(match[1], int(match[2]))
    if instance.since_ms > now_ms + MAX_CLOCK_SKEW_SECONDS * 1000:
        raise InvalidParameter("instance has a time that is still to come: send back what the event ready has.")
    return instance, True
