"""A tool that is an HTTP server: each call becomes a POST, and its reply the result."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from waypost._core.plain_json import to_json
from waypost.errors import ToolError
from waypost.host.call import Call
from waypost.host.results import MAX_RESULT_BYTES, Media


def forwarding_tool(client: httpx2.AsyncClient, url: str) -> Callable[..., Awaitable[Any]]:
    """A function for `Host.tool()`. The body is the arguments; headers say which tool and which call."""

    # The arguments are taken from the call: one of them may have the name of this parameter.
    async def forward(call: Call, **_arguments: Any) -> Any:
        headers = {
            "content-type": "application/json",
            "waypost-tool": call.tool,
            "waypost-call": call.id,
            # A call that a restart sends again is told apart from a new one by this.
            "idempotency-key": call.id,
        }
        if call.traceparent:
            headers["traceparent"] = call.traceparent
        try:
            async with client.stream("POST", url, content=to_json(call.args), headers=headers) as reply:
                return _result(reply, await _body(reply))
        except httpx2.TimeoutException as error:
            raise ToolError("forward_timeout", f"The server at {url} did not answer in time.") from error
        except httpx2.HTTPError as error:
            raise ToolError("forward_failed", f"The server at {url} can't be reached: {error}") from error

    return forward


async def _body(reply: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in reply.aiter_bytes():
        body += chunk
        if len(body) > MAX_RESULT_BYTES:
            raise ToolError("answer_too_large", f"The server's reply has more than {MAX_RESULT_BYTES // 1024**2} MiB.")
    return bytes(body)


def _result(reply: httpx2.Response, body: bytes) -> Any:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    value: Any = body.decode("utf-8", "replace")
    if kind == "application/json" or kind.endswith("+json"):
        try:
            value = json.loads(body) if body else None
        except (ValueError, RecursionError) as error:
            raise ToolError("forward_failed", f"The server's reply is no JSON: {error}") from error
    if not reply.is_success:
        raise ToolError("forward_failed", f"The server answered with {reply.status_code}.", value or None)
    if kind.startswith(("image/", "audio/")):
        return Media(body, kind)
    return value if body else None
