"""Texts under one key each, with a version that says what is there before it is read.

The version is kept twice. In the key's metadata, so that one `list` tells whether the key exists, which version it has,
and whether the text has to be read at all. And as the first line of the value: metadata of a listing and a value are
read separately and may be of two versions, while what a reader gets must be of one.

A text lives for a day after it was last put.
"""

from collections.abc import Sequence

import msgspec

from waypost_worker.documents.etag import etag_of
from waypost_worker.kv.store import Kv, find_key, list_all
from waypost_worker.limits import DOCUMENT_TTL_SECONDS


class Version(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What is known of a text without reading it. `size` in bytes as UTF-8; `owner`: a digest of who may change it."""

    etag: str
    size: int
    updated_ms: int
    title: str = ""
    owner: str = ""

    @property
    def expires_ms(self) -> int:
        """When it is gone, unless it is put again."""
        return self.updated_ms + DOCUMENT_TTL_SECONDS * 1000


_decode = msgspec.json.Decoder(Version).decode


def version_of(text: str, updated_ms: int) -> Version:
    """The version of `text`: its tag is of its bytes alone."""
    return Version(etag_of(text), len(text.encode()), updated_ms)


def version_with(text: str, updated_ms: int, title: str, owner: str) -> Version:
    """The version of `text` with what is shown beside it, of which its tag is too."""
    version = Version("", len(text.encode()), updated_ms, title, owner)
    return msgspec.structs.replace(version, etag=etag_of(_encode(version, text)))


async def find_version(kv: Kv, key: str) -> Version | None:
    """The version under `key`, for one operation, or `None` if nothing is there."""
    found = await find_key(kv, key)
    return _decode(found.metadata) if found and found.metadata else None


async def list_versions(kv: Kv, prefix: str) -> dict[str, Version]:
    """What follows `prefix` in each key under it -> its version."""
    return {
        key.name.removeprefix(prefix): _decode(key.metadata)
        async for keys in list_all(kv, prefix)
        for key in keys
        if key.metadata
    }


async def load_text(kv: Kv, key: str) -> tuple[Version, str] | None:
    """The version and the text under a key that was found before; `None` if it has gone since."""
    value = await kv.get(key)
    return None if value is None else _decode_value(value)


async def load_texts(kv: Kv, keys: Sequence[str]) -> dict[str, tuple[Version, str]]:
    """The same for a batch of keys that were found; what has gone since is not in the answer."""
    return {key: _decode_value(value) for key, value in (await kv.get_many(keys)).items()}


async def put_text(kv: Kv, key: str, version: Version, text: str) -> None:
    """Write `text` as `version`, for a day."""
    metadata = msgspec.json.encode(version).decode()
    await kv.put(key, _encode(version, text), ttl_seconds=DOCUMENT_TTL_SECONDS, metadata=metadata)


def _encode(version: Version, text: str) -> str:
    # JSON as it is made here has no line break. That the text is not first also keeps a byte order mark at its
    # beginning, which the runtime would take away.
    return f"{msgspec.json.encode(version).decode()}\n{text}"


def _decode_value(value: str) -> tuple[Version, str]:
    head, _, text = value.partition("\n")
    return _decode(head), text
