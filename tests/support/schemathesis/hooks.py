"""What schemathesis needs to know of the service that no document can say. Loaded by schemathesis itself.

It makes cases out of the document alone. Those would hardly ever meet a session that exists, or show a token that is
genuine; and of a few rules (a number that is below another one, an id's bytes when percent-encoded) JSON Schema has no
word. What is done about it here is done to cases that are meant to be good; those that are meant to be bad are sent as
they were made, but for the address that they come from, since unknown codes are counted for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from string import ascii_lowercase
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st

from tests.support.schemathesis.truth import case_hash, chance, code_of, make_true, places
from waypost_worker.limits import MAX_APP_ID_KEY_BYTES, MAX_APP_ID_LENGTH, MAX_MESSAGE_ID_LENGTH

MAX_SHOWN_ID = MAX_APP_ID_KEY_BYTES // 12
"""Characters that fit, whatever they are: four bytes, each percent-encoded as three."""

_addresses = count(1)
_host_tokens: dict[str, str] = {}
_guest_tokens: dict[str, str] = {}
_open: dict[str, None] = {}
"""Codes of sessions that were opened in this run and not ended."""
_threads: list[tuple[str, str]] = []
"""Resource and thread of questions that were answered in this run."""

_VISIBLE = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S"))
_APP_IDS = st.text(_VISIBLE, min_size=1, max_size=MAX_SHOWN_ID).filter(lambda text: text not in (".", ".."))


def _about(length: int) -> st.SearchStrategy[str]:
    """Ids just short enough, and just too long. schemathesis asks for such, and can only draw until it has one: where
    there is none, it draws for seconds and does without."""
    return st.text(ascii_lowercase, min_size=length - 1, max_size=length + 1)


schemathesis.openapi.format("app-id", _APP_IDS | _about(MAX_APP_ID_LENGTH))
schemathesis.openapi.format("message-id", st.text(_VISIBLE, min_size=1, max_size=40) | _about(MAX_MESSAGE_ID_LENGTH))
# Which cursor is a true one depends on the session: see `_use_true_cursors`.
schemathesis.openapi.format("cursor", st.just("a cursor"))
schemathesis.openapi.format("threads-cursor", st.just("a cursor"))


@schemathesis.serializer("application/x-ndjson")
def serialize_lines(_context: Any, value: Any) -> bytes:
    """NDJSON to send, of a value that is none too."""
    lines = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@schemathesis.deserializer("application/x-ndjson")
def deserialize_lines(_context: Any, response: Any) -> list[Any]:
    """What NDJSON came to."""
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """Shows the token of the case's session: the host's where it is needed, otherwise one, the other, or none."""

    def get(self, case: Any, _context: Any) -> str | None:
        """The token, or none."""
        _meet_what_is_there(case)
        schemes = {name for scheme in case.operation.definition.raw.get("security", []) for name in scheme}
        code = code_of(case)
        if "hostToken" in schemes and ("guestToken" not in schemes or chance(case, "role", 2)):
            if not _host_tokens:
                _open_one(case)
            return _host_tokens.get(code) or next(iter(_host_tokens.values()))
        return _guest_tokens.get(code) if "guestToken" in schemes and chance(case, "token", 2) else None

    def set(self, case: Any, token: str, _context: Any) -> None:
        """Send it."""
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Each case comes from an address of its own."""
    number = next(_addresses)
    case.headers["CF-Connecting-IP"] = f"2001:db9:{number // 0x10000:x}:{number % 0x10000:x}::1"
    if _is_good(case):
        _show_own_token(case)
        make_true(case)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Remember what there is now."""
    operation = case.operation.definition.raw.get("operationId")
    if operation == "openSession" and response.status_code == 201:
        _remember(response.json())
    elif operation == "joinSession" and response.status_code == 200:
        joined = response.json()
        _guest_tokens[joined["code"]] = joined["guestToken"]
    elif operation == "endSession" and response.status_code == 204:
        _open.pop(code_of(case), None)
    elif operation == "ask" and response.status_code == 200 and "threadId" in case.body:
        thread_id = case.body["threadId"]
        _threads.append((case.body.get("resourceId") or thread_id, thread_id))


def _open_one(case: Any) -> None:
    _remember(httpx.post(f"{case.operation.base_url}/api/sessions").json())


def _remember(opened: Mapping[str, str]) -> None:
    _host_tokens[opened["code"]] = opened["hostToken"]
    _open[opened["code"]] = None


def _is_good(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def _meet_what_is_there(case: Any) -> None:
    """Replaces three in four unknown codes by one that is in use, and gives three in four forks a parent."""
    code = code_of(case)
    if not _is_good(case) or chance(case, "met", 4):
        return
    if code and code not in _host_tokens:
        if not _open:
            _open_one(case)
        codes = list(_open)
        for place in places(case):
            if "code" in place:
                place["code"] = codes[case_hash(case, "code") % len(codes)]
    if case.path == "/api/chat/fork" and isinstance(case.body, dict) and _threads:
        parent = _threads[case_hash(case, "thread") % len(_threads)]
        if (case.body.get("resourceId"), case.body.get("forkFromThreadId")) not in _threads:
            case.body["resourceId"], case.body["forkFromThreadId"] = parent
            case.body["threadId"] = f"branch {case_hash(case, 'branch'):x}"
            case.body.pop("atMessageId", None)


def _show_own_token(case: Any) -> None:
    """A link gives a case its code when it has its token already."""
    code = code_of(case)
    if case.headers.get("Authorization", "").startswith("Bearer wp1.host.") and code in _host_tokens:
        case.headers["Authorization"] = f"Bearer {_host_tokens[code]}"
