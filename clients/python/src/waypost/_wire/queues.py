"""Calls of tools: requests of guests, responses of the host, and the stream that carries them."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost._core.messages import Call, Reply, Request, segment
from waypost._wire.making import given, json_request, nothing, raw_request
from waypost.types import Model

WAIT_GRACE_SECONDS = 15.0
"""How much longer than its `wait` a reply may take to begin."""


class AnswerError(Model, frozen=True):
    """Why a call failed."""

    code: str
    message: str
    data: Any = None


class Answer(Model, frozen=True):
    """The final response to a request."""

    result: Any = None
    error: AnswerError | None = None


def post_request(body: bytes, token: str | None, wait: float) -> Call[Answer | None]:
    """Queues a call, or finds it again by its id, and waits for its answer; `None`: there is none yet. `body`: as
    `request_body` wrote it, so that each repeat is the same bytes."""
    request = raw_request(
        "POST", "/api/request", body, query=given(wait=wait), token=token, seconds=wait + WAIT_GRACE_SECONDS
    )
    return Call(request, _read_answer)


def request_body(code: str, tool: str, args: bytes, id: str) -> bytes:
    """The body of a request. `args`: the JSON of an object, passed on as it is written."""
    return msgspec.json.encode({"code": code, "tool": tool, "args": msgspec.Raw(args), "id": id})


def _read_answer(reply: Reply) -> Answer | None:
    answer: Answer | None = reply.json(Answer) if reply.status == 200 else None
    return answer


def cancel_request(code: str, id: str, token: str | None) -> Call[None]:
    return Call(json_request("POST", f"/api/request/{segment(id)}/cancel", {"code": code}, token=token), nothing)


def post_response(
    code: str, token: str, id: str, answer: bytes, *, final: bool, trace: dict[str, str] | None = None
) -> Call[None]:
    """`answer`: the JSON of an object with `result` or `error`."""
    fields = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    body = msgspec.json.encode({"code": code, "id": id, **fields, "final": final})
    return Call(raw_request("POST", "/api/response", body, headers=trace or {}, token=token), nothing)


def acknowledge(code: str, token: str, cursors: list[str]) -> Call[None]:
    return Call(json_request("POST", "/api/ack", {"code": code, "cursors": cursors}, token=token), nothing)


def open_stream(code: str, token: str | None, *, cursor: str = "", instance: str | None = None) -> Request:
    """The stream of a session, of its host or a guest. Compression is asked not to delay it."""
    headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
    if cursor:
        headers["last-event-id"] = cursor
    return Request(
        method="GET", path="/api/stream", query=given(code=code, instance=instance), headers=headers, token=token
    )
