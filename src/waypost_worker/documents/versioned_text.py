"""Texts, each under one key, with a version that can be read without the text.

The version is stored twice. In the key's metadata, so that one `list` tells whether the key exists, which version it
has, and whether the text has to be read at all. And as the first line of the value: a listing and a value are read
separately and may be of two versions, but version and text in a response must belong together.

A text expires a day after it was last put.
"""

from collections.abc import Sequence

import msgspec

from waypost_worker.documents.etag import etag_of
from waypost_worker.kv.store import Kv, find_key, list_all
from waypost_worker.limits import DOCUMENT_TTL_SECONDS


class Version(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A text's version. `size`: bytes as UTF-8. `owner`: digest of the session that may change the text, if only one
    may."""

    etag: str
    size: int
    updated_ms: int
    title: str = ""
    owner: str = ""

    @property
    def expires_ms(self) -> int:
        """When the text expires, unless it is put again."""
        return self.updated_ms + DOCUMENT_TTL_SECONDS * 1000


_decode = msgspec.json.Decoder(Version).decode


def version_of(text: str, updated_ms: int) -> Version:
    """The version of `text`; the tag depends on the text alone."""
    return Version(etag_of(text), len(text.encode()), updated_ms)


def version_with(text: str, updated_ms: int, title: str, owner: str) -> Version:
    """The version of `text` with a title and an owner; the tag depends on all of it, and on `updated_ms`."""
    version = Version("", len(text.encode()), updated_ms, title, owner)
    return msgspec.structs.replace(version, etag=etag_of(_encode(version, text)))


async def find_version(kv: Kv, key: str) -> Version | None:
    """The version under `key`, or `None` if there is none; one operation."""
    found = await find_key(kv, key)
    return _decode(found.metadata) if found and found.metadata else None


async def list_versions(kv: Kv, prefix: str) -> dict[str, Version]:
    """The versions under `prefix`: rest of the key -> version, sorted by key."""
    return {
        key.name.removeprefix(prefix): _decode(key.metadata)
        async for keys in list_all(kv, prefix)
        for key in keys
        if key.metadata
    }


async def load_text(kv: Kv, key: str) -> tuple[Version, str] | None:
    """Reads the version and the text of an existing key; `None` if it has expired or was deleted since."""
    value = await kv.get(key)
    return None if value is None else _decode_value(value)


async def load_texts(kv: Kv, keys: Sequence[str]) -> dict[str, tuple[Version, str]]:
    """Reads a batch of existing keys: key -> (version, text), without those that have expired or were deleted since."""
    return {key: _decode_value(value) for key, value in (await kv.get_many(keys)).items()}


async def put_text(kv: Kv, key: str, version: Version, text: str) -> None:
    """Writes `text` as `version`, for a day."""
    metadata = msgspec.json.encode(version).decode()
    await kv.put(key, _encode(version, text), ttl_seconds=DOCUMENT_TTL_SECONDS, metadata=metadata)


def _encode(version: Version, text: str) -> str:
    # JSON as encoded here has no line break. The text must not come first: the runtime would remove a byte order mark
    # at its beginning.
    return f"{msgspec.json.encode(version).decode()}\n{text}"


def _decode_value(value: str) -> tuple[Version, str]:
    head, _, text = value.partition("\n")
    return _decode(head), text
