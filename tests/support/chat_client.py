"""Chats as tests hold them: a thread, its answers as they stream in either format, its history. Silent about what is
right."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from tests.support.http_api import Api
from tests.support.sse_client import EventStream, StreamEvent
from tests.support.waiting import eventually

UI_TYPE = "text/x-vercel-ai-ui-message-stream"
LONG = "long " + " ".join(f"word{number}" for number in range(45))
"""A message whose answer takes about two seconds by echo, which takes 30 ms a word: where its end is needed."""
ENDLESS = "long " + " ".join(f"word{number}" for number in range(3000))
"""One whose answer takes a minute and a half, and is stopped before: where something happens meanwhile, however slow
the machine is."""
SHORTENED = LONG[:79] + "…"
"""What echo shows of either later on."""


class AnswerStream(EventStream):
    """One reader of an answer. Where it is in the AI SDK's format, `events` are its chunks."""

    @property
    def problem(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, json.loads(self.body)["code"]

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(map(_text, list(self.events)))

    def whole(self) -> str:
        """The whole text, at the end."""
        assert self.status == 200, self.body
        self.wait_over()
        return self.text

    def heard(self, text: str) -> AnswerStream:
        """This stream, once it has sent `text`."""
        while text not in self.text:
            self.next()
        return self

    def head(self) -> Any:
        """What the first event says."""
        assert self.status == 200, self.body
        return eventually(lambda: self.events)[0].data

    def failure(self) -> Any:
        """The code of the error with which it ended before its first word; nothing was kept."""
        self.wait_over()
        assert [event.name for event in self.events] == ["start", "error", "done"], self
        assert self.events[1].data["partial"] is False
        return self.events[1].data["code"]

    def end(self) -> Any:
        """What the last event says."""
        self.wait_over()
        assert self.events[-1].name == "done", self
        return self.events[-1].data


def _text(event: StreamEvent) -> str:
    if event.text == "[DONE]":
        return ""
    data = event.data
    said = data["text"] if event.name == "delta" else data.get("delta") if event.name == "message" else ""
    return str(said or "")


class Chat:
    """One thread that no other test has."""

    def __init__(
        self, api: Api, thread_id: str | None = None, resource_id: str | None = None, key: str | None = None
    ) -> None:
        self.api = api
        self.thread_id = thread_id or f"thread-{uuid4()}"
        self.resource_id = resource_id or f"user-{uuid4()}"
        self.key = key
        self.name = {"threadId": self.thread_id, "resourceId": self.resource_id}

    def ask(self, message: str | list[Any], *, accept: str | None = None, **fields: Any) -> AnswerStream:
        """Send a message; `fields` as in the API."""
        return self.post("/api/chat", {"message": message, **self.name, **fields}, accept=accept)

    def post(self, path: str, body: Any, *, accept: str | None = None, **query: str) -> AnswerStream:
        """Any call that is answered with a stream."""
        headers = self._headers(accept)
        url = self.api.url + path
        return self.api.hold(AnswerStream(url, query, headers, content=json.dumps(body).encode()))

    def follow(self, *, accept: str | None = None, last_event_id: str = "", **query: str) -> AnswerStream:
        """Resumes the answer that is being generated."""
        url = self.api.url + self.path("stream")
        query = {"resourceId": self.resource_id, **query}
        return self.api.hold(AnswerStream(url, query, self._headers(accept), last_event_id=last_event_id))

    def stop(self, **fields: Any) -> Any:
        """Stops the answer; returns the reply."""
        body = {"resourceId": self.resource_id, **fields}
        reply = self.api.call("POST", self.path("stop"), body, self.key)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def path(self, action: str) -> str:
        """The path of an action on the thread's answer."""
        return f"/api/chat/{quote(self.thread_id, safe='')}/{action}"

    def session(self) -> Any:
        """The thread as it is listed, or `None`."""
        reply = self.api.call("POST", "/api/sessions/metadata", self.name, self.key)
        return None if reply.status_code == 404 else reply.json()["session"]

    def append(self, *texts: str) -> None:
        """Appends messages of the user."""
        messages = [{"role": "user", "content": text} for text in texts]
        path = f"/api/conversations/{self.session()['sessionId']}/messages"
        assert self.api.call("POST", path, {"messages": messages}, self.key).status_code == 201

    def history(self) -> list[Any]:
        """The messages that are kept."""
        session = self.session()
        return [] if session is None else conversation(self.api, session["sessionId"], self.key)

    def said(self) -> list[tuple[str, str]]:
        """Role and content of the messages that are kept; partial ones end in an ellipsis."""
        return [
            (message["role"], message["content"] + ("…" if message.get("partial") else ""))
            for message in self.history()
        ]

    def _headers(self, accept: str | None) -> dict[str, str]:
        headers = self.api.known_by()
        if accept is not None:
            headers["Accept"] = accept
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        return headers


def conversation(api: Api, session_id: str, key: str | None = None) -> list[Any]:
    """The messages of a conversation."""
    reply: httpx.Response = api.call("GET", f"/api/conversations/{session_id}", token=key)
    assert reply.status_code == 200, reply.text
    messages: list[Any] = reply.json()["messages"]
    return messages


def first_answer(message: str) -> str:
    """What echo says to the first message of a thread."""
    return f'You said: "{message}". That is the first message of yours that I know.'


def next_answer(message: str, *earlier: str) -> str:
    """What echo says to a later one."""
    listed = " ".join(f'{number}. "{text}"' for number, text in enumerate(earlier, 1))
    return f'You said: "{message}". Before that, you told me: {listed}'
