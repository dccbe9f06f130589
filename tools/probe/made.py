"""What the probe makes in the deployment, and deletes again: sessions, and documents of one secret id."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid4

from tools.probe.caller import Caller, Reply
from tools.probe.failure import ProbeFailure
from tools.probe.timing import Told

GONE = (200, 204, 404, 410)


class Session:
    """A session, with the token of its host and one of a guest."""

    def __init__(self, opened: dict[str, Any], guest: str) -> None:
        self.code: str = opened["code"]
        self.host: str = opened["hostToken"]
        self.guest = guest


class Made:
    """Everything that is made here; `delete` deletes what is left of it."""

    def __init__(self, app_key: str = "") -> None:
        self.documents_of = str(uuid4())
        self.count = 0
        self._app_key = app_key
        self._sessions: dict[str, Session] = {}
        self._documents: set[str] = set()

    async def session(self, caller: Caller) -> Session:
        """A new session that a guest has joined."""
        reply = await caller.call("POST", "/api/sessions", {"label": "make probe"})
        opened = reply.expect(201).json()
        session = Session(opened, "")
        self._sessions[session.code] = session
        self.count += 1
        joined = await caller.call("POST", f"/api/sessions/{session.code}/join", {})
        session.guest = joined.expect(200).json()["guestToken"]
        return session

    async def put(self, caller: Caller, name: str, value: Any) -> Reply:
        """Writes a document."""
        self.count += name not in self._documents
        self._documents.add(name)
        return (await caller.call("PUT", self.path(name), value, self._app_key)).expect(200, 201)

    async def get(self, caller: Caller, name: str) -> Reply:
        """Reads a document, which may not be visible yet."""
        return (await caller.call("GET", self.path(name), token=self._app_key)).expect(200, 404)

    async def etags(self, caller: Caller) -> tuple[dict[str, str], Told]:
        """The documents that are listed, each with its version, and what the reply tells."""
        listed = (await caller.call("GET", self.path(), token=self._app_key)).expect(200)
        return {document["name"]: document["etag"] for document in listed.json()["documents"]}, listed.told

    async def delete(self, caller: Caller) -> int:
        """Ends the sessions and deletes the documents; returns how many are left, because the deployment refuses."""
        for code, session in list(self._sessions.items()):
            if await _is_gone(caller, f"/api/sessions/{code}", session.host):
                del self._sessions[code]
        for name in sorted(self._documents):
            if await _is_gone(caller, self.path(name), self._app_key):
                self._documents.remove(name)
        return self.left

    @property
    def left(self) -> int:
        """How many sessions and documents are not deleted."""
        return len(self._sessions) + len(self._documents)

    def path(self, name: str = "") -> str:
        """The path of the documents, or of one of them."""
        return f"/api/sessions/{self.documents_of}/documents" + (f"/{name}" if name else "")


async def _is_gone(caller: Caller, path: str, token: str) -> bool:
    with suppress(ProbeFailure):
        return (await caller.call("DELETE", path, token=token)).status in GONE
    return False
