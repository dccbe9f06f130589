"""A host's messages as they travel: in the clear, or encrypted if the session is."""

from __future__ import annotations

from typing import Any

from waypost._core.cipher import FORMAT, Cipher, is_envelope
from waypost._core.plain_json import to_json
from waypost.errors import DecryptionError
from waypost.host.results import MAX_RESULT_BYTES, error_answer

MARK = "waypost/encryption"
"""The field of a tool's `_meta` that says so to guests without the key."""

_NOT_ENCRYPTED = error_answer(
    "not_encrypted", "This session is not encrypted, and its host has no key: the link belongs to another session."
)
_ENCRYPTION_REQUIRED = error_answer(
    "encryption_required", "This session is end-to-end encrypted: join it with its whole link, which has the key."
)


class Refusal(Exception):
    """A request that is not run. `answer`: what is sent in the clear, and kept nowhere."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer)
        self.answer = answer


class PlainWire:
    """Messages of a session without encryption."""

    max_result_bytes = MAX_RESULT_BYTES
    is_sealed = False

    def arguments(self, id: str, tool: str, args: Any) -> dict[str, Any]:
        """The arguments of a request. Raises `Refusal`."""
        if is_envelope(args):
            raise Refusal(_NOT_ENCRYPTED)
        return args if isinstance(args, dict) else {}

    def sealed(self, id: str, tool: str, answer: bytes, *, final: bool) -> bytes:
        """An answer, or progress, as it is sent."""
        return answer

    def offered(self, definition: dict[str, Any]) -> dict[str, Any]:
        """A tool's definition, as it is published."""
        return definition


class EncryptedWire:
    """Messages of an encrypted session. Whether an answer is a success is encrypted too."""

    # Base64 takes four characters for three bytes, and padding and envelope some more.
    max_result_bytes = MAX_RESULT_BYTES // 4 * 3 - 1024
    is_sealed = True

    def __init__(self, code: str, key: str) -> None:
        self._cipher = Cipher(code, key)

    def arguments(self, id: str, tool: str, args: Any) -> dict[str, Any]:
        if not is_envelope(args):
            raise Refusal(_ENCRYPTION_REQUIRED)
        try:
            opened = self._cipher.open("request", id, tool, args)
        except DecryptionError as error:
            raise Refusal(error_answer(error.code, error.message)) from error
        if not isinstance(opened, dict):
            raise Refusal(error_answer("decryption_failed", "What was encrypted is no object of arguments."))
        return opened

    def sealed(self, id: str, tool: str, answer: bytes, *, final: bool) -> bytes:
        return to_json({"result": self._cipher.seal("answer" if final else "progress", id, tool, answer)})

    def offered(self, definition: dict[str, Any]) -> dict[str, Any]:
        return definition | {"_meta": {**(definition.get("_meta") or {}), MARK: FORMAT}}


Wire = PlainWire | EncryptedWire


def wire_of(code: str, key: str | None) -> Wire:
    """Raises `ConfigError` if the key is damaged, or this Python can't encrypt."""
    return PlainWire() if key is None else EncryptedWire(code, key)
