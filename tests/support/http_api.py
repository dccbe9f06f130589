"""The HTTP API as tests call it: thin, and silent about what is right. Replies come back as they are."""

from __future__ import annotations

import json
from contextlib import ExitStack
from itertools import count
from typing import Any, TypeVar

import httpx

from tests.support.sse_client import LONGEST_SECONDS, EventStream

_ADDRESSES = count(1)

PASSED_ON = ("CF-Connecting-IP", "CF-Placement", "X-Isolate")
"""Headers by which a caller and its way are known; its streams have them too."""

Stream = TypeVar("Stream", bound=EventStream)


def new_address() -> str:
    """An address that no other test has, in a network that no other has either, for `CF-Connecting-IP`."""
    number = next(_ADDRESSES)
    return f"2001:db8:{number // 0x10000:x}:{number % 0x10000:x}::1"


class Api:
    """One caller of the Worker at `url`, from an address of its own. Its streams end with it."""

    def __init__(self, url: str, address: str | None = None) -> None:
        self.url = url
        self.address = address or new_address()
        self.http = httpx.Client(
            base_url=url,
            headers={"CF-Connecting-IP": self.address},
            # Longer than the longest wait that a call can ask for.
            timeout=LONGEST_SECONDS,
            limits=httpx.Limits(max_connections=100),
            event_hooks={"request": [self._count]},
        )
        self.requests = 0
        """How many were sent, streams not among them."""
        self._streams = ExitStack()

    def open_session(self, **body: Any) -> Session:
        """A new session, seen from its host."""
        reply = self.http.post("/api/sessions", json=body)
        assert reply.status_code == 201, reply.text
        return Session(self, reply.json())

    def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """Any call, with a JSON body unless it is `None`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            options["content"] = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return self.http.request(method, path, headers=headers | options.pop("headers", {}), **options)

    def stream(
        self, code: str, token: str | None = None, *, ndjson: bool = False, last_event_id: str = "", **params: str
    ) -> EventStream:
        """An open stream of the session `code`."""
        headers = self.known_by() | ({"Authorization": f"Bearer {token}"} if token else {})
        query = {"code": code, **params}
        url = f"{self.url}/api/stream"
        return self.hold(EventStream(url, query, headers, ndjson=ndjson, last_event_id=last_event_id))

    def known_by(self) -> dict[str, str]:
        """The headers that say who calls, and which isolate: for connections of their own."""
        return {name: self.http.headers[name] for name in PASSED_ON if name in self.http.headers}

    def hold(self, stream: Stream) -> Stream:
        """`stream`, which is closed with this caller."""
        self._streams.enter_context(stream)
        return stream

    def _count(self, _request: httpx.Request) -> None:
        self.requests += 1

    def close(self) -> None:
        """Close every connection."""
        self._streams.close()
        self.http.close()

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Session:
    """One session; calls are the host's where only it may call, otherwise a guest's with the code alone."""

    def __init__(self, api: Api, opened: dict[str, Any]) -> None:
        self.api = api
        self.opened = opened
        self.code: str = opened["code"]
        self.host_token: str = opened["hostToken"]
        self.path = f"/api/sessions/{self.code}"

    def read(self) -> httpx.Response:
        return self.api.call("GET", self.path)

    def join(self) -> str:
        """A guest's token."""
        reply = self.api.call("POST", f"{self.path}/join")
        assert reply.status_code == 200, reply.text
        token: str = reply.json()["guestToken"]
        return token

    def extend(self) -> httpx.Response:
        return self.api.call("POST", f"{self.path}/extend", token=self.host_token)

    def delete(self) -> httpx.Response:
        return self.api.call("DELETE", self.path, token=self.host_token)

    def put_tools(self, *tools: dict[str, Any]) -> httpx.Response:
        return self.api.call("PUT", f"{self.path}/tools", {"tools": tools}, self.host_token)

    def ask(
        self,
        args: Any = None,
        *,
        tool: str = "echo",
        wait: float | None = None,
        token: str | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Send a request."""
        body = {"code": self.code, "tool": tool, "args": {} if args is None else args, **fields}
        return self.api.call("POST", "/api/request", body, token, params={} if wait is None else {"wait": str(wait)})

    def answer(self, request_id: str, result: Any = None, **fields: Any) -> httpx.Response:
        """Send a response as the host; `error=` and `final=` as in the API."""
        body = {"code": self.code, "id": request_id, **fields}
        if "error" not in fields:
            body["result"] = result
        return self.api.call("POST", "/api/response", body, self.host_token)

    def cancel(self, request_id: str, token: str | None = None) -> httpx.Response:
        return self.api.call("POST", f"/api/request/{request_id}/cancel", {"code": self.code}, token)

    def ack(self, *cursors: str, token: str | None = None) -> httpx.Response:
        return self.api.call("POST", "/api/ack", {"code": self.code, "cursors": cursors}, token)

    def poll(self, token: str | None = None, **params: Any) -> dict[str, Any]:
        """One poll: `{messages, cursor}`."""
        query = {"code": self.code} | {name: str(value) for name, value in params.items()}
        reply = self.api.call("GET", "/api/poll", token=token, params=query)
        assert reply.status_code == 200, reply.text
        result: dict[str, Any] = reply.json()
        return result

    def host_stream(self, **options: Any) -> EventStream:
        """An open stream as the host, past its `ready`."""
        return _ready(self.api.stream(self.code, self.host_token, **options))

    def guest_stream(self, token: str | None = None, **options: Any) -> EventStream:
        """An open stream as a guest, past its `ready`."""
        return _ready(self.api.stream(self.code, token, **options))


def _ready(stream: EventStream) -> EventStream:
    assert stream.status == 200, stream.body
    stream.next("ready")
    return stream
