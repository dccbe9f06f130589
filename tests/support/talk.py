"""One conversation over HTTP."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.http_api import Api


class Talk:
    """One conversation that no other test has."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.path = f"/api/conversations/{uuid4()}"

    def add(self, *messages: dict[str, Any]) -> httpx.Response:
        return self.api.call("POST", f"{self.path}/messages", {"messages": messages})

    def say(self, content: Any, **fields: Any) -> httpx.Response:
        return self.add({"role": "user", "content": content, **fields})

    def export(self, format: str = "json") -> httpx.Response:
        reply = self.api.call("GET", self.path, params={"format": format})
        assert reply.status_code == 200, reply.text
        return reply

    def contents(self) -> list[Any]:
        return [message["content"] for message in self.export().json()["messages"]]

    def bring(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.api.call("PUT", self.path, content=body, headers=headers)
