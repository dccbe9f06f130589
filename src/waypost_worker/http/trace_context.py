"""The trace that a request belongs to: W3C Trace Context, passed on and never made here.

https://www.w3.org/TR/trace-context/. Waypost is middleware between two participants of a trace and exports no spans. So
it passes `traceparent` on with its parent id: an id of its own there would be a parent that no tracing system knows. A
reply names the operation of this service in its own header (http/server_timing.py).
"""

import re
from typing import NamedTuple

from waypost_worker.limits import MAX_TRACESTATE_LENGTH, MAX_TRACESTATE_MEMBERS

LONG_MEMBER = 128
"""Characters of a member of `tracestate`: longer ones are removed first, as the standard says."""

KNOWN_FLAGS = 0x03
"""`sampled` and `random-trace-id`. Others are set to zero."""

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


class TraceContext(NamedTuple):
    """`traceparent` in the form of version 00, and `tracestate`, which may be empty."""

    parent: str
    state: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hexadecimal digits that name the trace."""
        return self.parent[3:35]

    @property
    def flags(self) -> str:
        """The two hexadecimal digits of its flags."""
        return self.parent[53:]


def parse_trace_context(parent: object, state: object = None) -> TraceContext | None:
    """The trace that these values of `traceparent` and `tracestate` name; `None` if `parent` names none.

    A `tracestate` that breaks its grammar is dropped whole. Of a long one, whole members are.
    """
    if not isinstance(parent, str) or (match := _PARENT.fullmatch(parent)) is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    # Later versions may add fields, and this one has none.
    if version == "ff" or (version == "00" and more is not None) or not (trace_id.strip("0") and parent_id.strip("0")):
        return None
    known = f"00-{trace_id}-{parent_id}-{int(flags, 16) & KNOWN_FLAGS:02x}"
    return TraceContext(known, _parse_state(state) if isinstance(state, str) else "")


def _parse_state(text: str) -> str:
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    if len(members) > MAX_TRACESTATE_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    if len(state := ",".join(members)) > MAX_TRACESTATE_LENGTH:
        members = [member for member in members if len(member) <= LONG_MEMBER]
        while len(state := ",".join(members)) > MAX_TRACESTATE_LENGTH:
            members.pop()
    return state
