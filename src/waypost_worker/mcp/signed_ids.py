"""What a legacy client is given to hold, signed so that nothing has to be stored: its session's id and events' ids.

Both are signed with the key of the tokens, under a prefix of their own: a token's signature is over a text that begins
`wp1.`, these begin `wpm1.`, so neither can ever pass for the other. A session's id says which revision was agreed on;
the tab it belongs to is in what is signed, so it is worth nothing at another tab. It is never asked which tab is meant:
clients lose it, and the code in the URL or the token says that.

An event's id is what a broken stream is taken up with, in any isolate: which request it is about, how far it was heard.
It is bound to its session, and read by nobody else.
"""

import hmac
from typing import Any

import msgspec

from waypost_worker.base64url import decode_base64url, encode_base64url
from waypost_worker.mcp.versions import LEGACY
from waypost_worker.random import Random

SIGNATURE_BYTES = 16
NONCE_BYTES = 16


class CallMark(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A place in the stream of a call: the request's id in the queue, the last message heard (`""`: none), the id and
    the progress token of the client's request."""

    request_id: str
    heard: str
    rpc_id: str | int
    progress_token: str | int | None = None


class ListenMark(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A place in a stream of news: the tools' version that the client has been told of."""

    tools_version: str | None


Mark = CallMark | ListenMark


class IdSigner:
    """Signs with the first of the keys, accepts any. `code` is the tab's."""

    def __init__(self, keys: tuple[bytes, ...], code: str) -> None:
        self._keys = keys
        self._code = code

    def new_session(self, random: Random, version: str) -> str:
        """A new session's id."""
        nonce = encode_base64url(random.random_bytes(NONCE_BYTES))
        text = f"{version.replace('-', '')}.{nonce}"
        return f"{text}.{self._sign(self._keys[0], 'session', text)}"

    def version_of(self, session_id: str) -> str | None:
        """The revision that was agreed on in the session, or `None` if it is none of this tab's."""
        text, _, signature = session_id.rpartition(".")
        if not self._is_genuine("session", text, signature):
            return None
        return next((version for version in LEGACY if text.startswith(version.replace("-", "") + ".")), None)

    def event_id(self, session_id: str, mark: Mark) -> str:
        """The id of an event of this session (`""`: of a client without one)."""
        text = encode_base64url(msgspec.json.encode(mark))
        return f"{text}.{self._sign(self._keys[0], f'event.{session_id}', text)}"

    def mark_of(self, session_id: str, event_id: str) -> Mark | None:
        """What the id says, or `None` if it is none of this session's."""
        text, _, signature = event_id.rpartition(".")
        if not self._is_genuine(f"event.{session_id}", text, signature):
            return None
        mark: Mark = msgspec.json.decode(decode_base64url(text), type=Mark)
        return mark

    def asker(self, session_id: str, rpc_id: Any) -> str:
        """A digest that says who asked, and under which id, to whoever knows both."""
        return self._sign(self._keys[0], f"asker.{session_id}", msgspec.json.encode(rpc_id).decode())

    def task_id(self, request_id: str) -> str:
        """A name of the task that the request is, which nobody can make up."""
        return f"{request_id}.{self._sign(self._keys[0], 'task', request_id)}"

    def request_of(self, task_id: str) -> str | None:
        """The request's id in the queue, or `None` if it is no task of this tab."""
        text, _, signature = task_id.rpartition(".")
        return text if self._is_genuine("task", text, signature) else None

    def _is_genuine(self, use: str, text: str, signature: str) -> bool:
        if not signature.isascii():
            return False
        # Every key is tried, whichever fits: the time taken says nothing about which one it was.
        fits = [hmac.compare_digest(self._sign(key, use, text), signature) for key in self._keys]
        return any(fits)

    def _sign(self, key: bytes, use: str, text: str) -> str:
        digest = hmac.digest(key, f"wpm1.{self._code}.{use}.{text}".encode("utf-8", "surrogatepass"), "sha256")
        return encode_base64url(digest[:SIGNATURE_BYTES])
