"""Signed session, event and task ids for MCP clients, so that the server stores nothing for them.

All are signed with the key of the tokens, under a prefix of their own: a token's signature is over a text that begins
`wp1.`, these begin `wpm1.`, so neither is ever valid as the other. A session's id contains the agreed revision; the tab
is part of the signed text, so the id is invalid at another tab. The id does not choose the tab, because clients lose
it: the code in the URL or the token does.

At an MCP address, the address takes the place of the tab: the tab's sessions come and go there, and most clients do not
begin a new MCP session when the server forgets theirs, though the specification says so. Calls and tasks stay with the
session that has them in its queue.

An event's id is the position from which any isolate resumes a broken stream: the request, and the last message sent.
It is valid in its own session only.
"""

import hmac
from typing import Any

import msgspec

from waypost_worker.base64url import decode_base64url, encode_base64url
from waypost_worker.mcp.versions import LEGACY
from waypost_worker.random import Random

SIGNATURE_BYTES = 16
NONCE_BYTES = 16


class CallPosition(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A position in the stream of a call: the request's id in the queue, the cursor of the last message sent (`""`:
    none), the id and progress token of the client's request, and the last progress sent. `tab`: at an MCP address, a
    digest of the session."""

    request_id: str
    cursor: str
    rpc_id: str | int
    progress_token: str | int | None = None
    progress: float | None = None
    tab: str = ""


class ListenPosition(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A position in a listen stream: the tools' version that the client was last notified of."""

    tools_version: str | None


StreamPosition = CallPosition | ListenPosition


class IdSigner:
    """Signs with the first of `keys`, accepts any of them. `code` is the tab's session; `address` the MCP address by
    which the client came, if it came by one."""

    def __init__(self, keys: tuple[bytes, ...], code: str, address: str = "") -> None:
        self._keys = keys
        self._code = code
        self._address = address

    def new_session(self, random: Random, version: str) -> str:
        """A new MCP session id."""
        nonce = encode_base64url(random.random_bytes(NONCE_BYTES))
        text = f"{version.replace('-', '')}.{nonce}"
        return f"{text}.{self._sign(self._keys[0], 'session', text, self._address)}"

    def version_of(self, session_id: str) -> str | None:
        """The revision that was agreed on in the session, or `None` if this tab has no such session."""
        text, _, signature = session_id.rpartition(".")
        if not self._is_genuine("session", text, signature, self._address):
            return None
        return next((version for version in LEGACY if text.startswith(version.replace("-", "") + ".")), None)

    def event_id(self, session_id: str, position: StreamPosition) -> str:
        """The id of the event at `position` in this session (`""`: the client has no session)."""
        text = encode_base64url(msgspec.json.encode(position))
        return f"{text}.{self._sign(self._keys[0], f'event.{session_id}', text, self._address)}"

    def position_of(self, session_id: str, event_id: str) -> StreamPosition | None:
        """The position that an event's id stands for, or `None` if it is not of this session."""
        text, _, signature = event_id.rpartition(".")
        if not self._is_genuine(f"event.{session_id}", text, signature, self._address):
            return None
        position: StreamPosition = msgspec.json.decode(decode_base64url(text), type=StreamPosition)
        return position

    def tab_digest(self) -> str:
        """The `tab` of positions of this session's calls: empty where the code is in every signature anyway."""
        return self._sign(self._keys[0], "tab", "") if self._address else ""

    def is_of_this_tab(self, position: CallPosition) -> bool:
        """Whether the call is in this session's queue."""
        return not self._address or self._is_genuine("tab", "", position.tab)

    def asker(self, client_id: str, rpc_id: Any) -> str:
        """A digest of a client and a JSON-RPC id: it finds the client's request again, and reveals neither."""
        return self._sign(self._keys[0], f"asker.{client_id}", msgspec.json.encode(rpc_id).decode())

    def task_id(self, request_id: str) -> str:
        """The id of the task that the request has become; it can't be forged."""
        return f"{request_id}.{self._sign(self._keys[0], 'task', request_id)}"

    def request_of(self, task_id: str) -> str | None:
        """The request's id in the queue, or `None` if this tab has no such task."""
        text, _, signature = task_id.rpartition(".")
        return text if self._is_genuine("task", text, signature) else None

    def _is_genuine(self, use: str, text: str, signature: str, address: str = "") -> bool:
        if not signature.isascii():
            return False
        # Every key is tried, so that the time taken does not tell which one matches.
        matches = [hmac.compare_digest(self._sign(key, use, text, address), signature) for key in self._keys]
        return any(matches)

    def _sign(self, key: bytes, use: str, text: str, address: str = "") -> str:
        place = address or self._code
        digest = hmac.digest(key, f"wpm1.{place}.{use}.{text}".encode("utf-8", "surrogatepass"), "sha256")
        return encode_base64url(digest[:SIGNATURE_BYTES])
