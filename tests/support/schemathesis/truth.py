"""Cases made true: what JSON Schema has no word for, done to a case that is meant to be good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from waypost_worker.conversations import thread_list
from waypost_worker.errors import InvalidCode
from waypost_worker.ids import parse_code
from waypost_worker.kv.cursor import first_cursor, is_cursor, scope_tag
from waypost_worker.kv.keys import requests_scope, responses_scope, threads_prefix


def case_hash(case: Any, what: str) -> int:
    """The same for the same case at every run."""
    shown = repr((what, case.method, case.path, case.path_parameters, case.query, case.body))
    return crc32(shown.encode(errors="replace"))


def chance(case: Any, what: str, one_in: int) -> bool:
    """One in so many, and the same for the same case."""
    return case_hash(case, what) % one_in == 0


def places(case: Any) -> list[dict[str, Any]]:
    """Where a code can stand."""
    return [place for place in (case.path_parameters, case.query, case.body) if isinstance(place, dict)]


def code_of(case: Any) -> str:
    """The session's code, or nothing."""
    for place in places(case):
        if isinstance(place.get("code"), str):
            try:
                return parse_code(place["code"])
            except InvalidCode:
                return ""
    return ""


def make_true(case: Any) -> None:
    """What JSON Schema has no word for."""
    body = case.body if isinstance(case.body, dict) else {}
    _use_true_cursors(case, body)
    # There is no host to respond while a case waits.
    if isinstance(case.query, dict) and case.query.get("wait") not in (None, 0, "0"):
        case.query["wait"] = 0.01
    for name in ("ttl", "seq", "settled"):
        # 2.0 is an integer to JSON Schema; the service wants it written as one.
        if isinstance(body.get(name), float) and body[name].is_integer():
            body[name] = int(body[name])
    if body.get("settled") and isinstance(body.get("seq"), int):
        body["settled"] = min(body["settled"], body["seq"] - 1)
    # Bytes of the JSON that KV must hold together.
    if len(repr(body.get("metadata")).encode()) > 100:
        body["metadata"] = {}
    if isinstance(body.get("agent"), str):
        body["agent"] = body["agent"][:20]
    if case.path == "/api/chat/fork" and body.get("threadId") == body.get("forkFromThreadId"):
        body["threadId"] = f"another {case_hash(case, 'branch'):x}"
    if case.path == "/api/chat/fork" and not body.get("message"):
        body.pop("session", None)
    if isinstance(body.get("tools"), dict):
        # By their names.
        body["tools"] = {f"tool-{number}": tool for number, tool in enumerate(body["tools"].values())}
    else:
        _make_different("name", body.get("tools"))
    if case.path.startswith("/api/conversations/"):
        messages = case.body if isinstance(case.body, list) else body.get("messages")
        _make_different("id", messages)
        for message in messages or []:
            _make_possible(message.get("toolEvents"))
    if case.path == "/api/chat":
        for message in body.get("messages", []):
            if message.get("role") == "user":
                message["parts"] = [{"type": "text", "text": "And then?"}]


def _make_different(name: str, items: Any) -> None:
    """No two of `items` may have one name."""
    for number, item in enumerate(items or []):
        if item.get(name):
            item[name] = f"{item[name][:100]}{number}"


def _make_possible(events: Any) -> None:
    """An answer has each call once, and results only of calls before them, all at places that it has."""
    for number, event in enumerate(events or []):
        event |= {"kind": "call", "id": f"c{number // 2}", "text": 0, "reasoning": 0, "step": 0}
        if number % 2:
            event["kind"] = "result"


def _use_true_cursors(case: Any, body: dict[str, Any]) -> None:
    code = code_of(case)
    is_host = f".host.{code}." in case.headers.get("Authorization", "")
    scope = requests_scope(code) if is_host else responses_scope(code)
    if isinstance(body.get("cursors"), list):
        body["cursors"] = [_true_cursor(cursor, scope) for cursor in body["cursors"]]
    for place, name in ((case.query, "after"), (case.headers, "Last-Event-ID")):
        if isinstance(place, Mapping) and name in place and case.path in ("/api/stream", "/api/poll"):
            place[name] = _true_cursor(place[name], scope)  # type: ignore[index]
    if case.path == "/api/sessions" and "cursor" in case.query:
        tag = scope_tag(threads_prefix(str(case.query["resourceId"])))
        case.query["cursor"] = thread_list._format(thread_list._Cursor(tag, 0, "a"))


def _true_cursor(cursor: Any, scope: str) -> Any:
    return cursor if isinstance(cursor, str) and is_cursor(cursor, scope) else first_cursor(scope)
