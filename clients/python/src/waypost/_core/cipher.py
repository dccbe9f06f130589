"""End-to-end encryption of one session, the format `e2e1`: AES-256-GCM with one key for each direction. Each message is
bound to its kind, its session, its request and its tool. docs/encryption.md has the format and what it guarantees."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any, Literal

from waypost._core.plain_json import to_json
from waypost.errors import ConfigError, DecryptionError

FORMAT = "e2e1"
ENVELOPE = "$waypost"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_PADDING_BYTES = 256
_MAX_SEALED = 2**24
"""Messages that one process encrypts with one key: random nonces are safe for 2^32 of all processes together."""

Kind = Literal["request", "progress", "answer"]


def new_key() -> str:
    """The key of a new session. Raises `ConfigError` if this Python can't encrypt."""
    _require_cryptography()
    return _encoded(os.urandom(_KEY_BYTES))


def is_envelope(value: Any) -> bool:
    """Whether a value says that it is encrypted."""
    return isinstance(value, dict) and ENVELOPE in value


class Cipher:
    """Encrypts (`seal`) and decrypts (`open`) the messages of one session. `code`: as the server writes it."""

    def __init__(self, code: str, key: str, *, limit: int = _MAX_SEALED) -> None:
        _require_cryptography()
        secret = _decoded(key)
        if secret is None or len(secret) != _KEY_BYTES:
            raise ConfigError("invalid_key", "The session's key is damaged: copy the whole link again.")
        self._code = code
        self._limit = limit
        self._sealed = 0
        self._request, self._answer = (_derived(secret, code, direction) for direction in ("request", "answer"))

    def seal(self, kind: Kind, id: str, tool: str, value: bytes, nonce: bytes | None = None) -> dict[str, str]:
        """Encrypts the JSON `value`. A nonce is made up; only a test names one."""
        if self._sealed >= self._limit:
            raise ConfigError(
                "key_worn_out", "This process has encrypted as much as one key allows: open a new session."
            )
        self._sealed += 1
        nonce = nonce or os.urandom(_NONCE_BYTES)
        # White space after JSON is ignored, so the padding need not be removed.
        padded = value + b" " * (-len(value) % _PADDING_BYTES)
        sealed = self._of(kind).encrypt(nonce, padded, self._bound(kind, id, tool))
        return {ENVELOPE: FORMAT, "n": _encoded(nonce), "c": _encoded(sealed)}

    def open(self, kind: Kind, id: str, tool: str, envelope: Any) -> Any:
        """Decrypts what was encrypted as this kind, for this call of this session. Raises `DecryptionError`."""
        from cryptography.exceptions import InvalidTag

        try:
            if not isinstance(envelope, dict) or envelope.get(ENVELOPE) != FORMAT:
                raise ValueError("This is no envelope.")
            nonce, sealed = _decoded(envelope.get("n")), _decoded(envelope.get("c"))
            if nonce is None or len(nonce) != _NONCE_BYTES or sealed is None:
                raise ValueError("This is not base64url.")
            return json.loads(self._of(kind).decrypt(nonce, sealed, self._bound(kind, id, tool)))
        except (ValueError, InvalidTag) as error:
            message = f"The {kind} can't be decrypted: it was changed on the way, or encrypted with another key."
            raise DecryptionError("decryption_failed", message) from error

    def _of(self, kind: Kind) -> Any:
        return self._request if kind == "request" else self._answer

    def _bound(self, kind: Kind, id: str, tool: str) -> bytes:
        return to_json([FORMAT, kind, self._code, id, tool])


def _derived(secret: bytes, code: str, direction: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"waypost e2e v1 {direction}".encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=code.encode(), info=info).derive(secret))


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401 - only whether it is there
    except ImportError as error:
        message = "Encrypted sessions need one more package: pip install 'waypost[encryption]'"
        raise ConfigError("encryption_unavailable", message) from error


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: Any) -> bytes | None:
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
