"""One namespace of Workers KV through Cloudflare's REST API, or the same API of Miniflare for the local store.

https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/: 1,000 keys a list; 100 keys and 25 MB a
bulk read; 10,000 keys and 100 MB a bulk write, of which each expiration is at least 60 s away.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.care.api import TRIES, Api, Refused
from tools.care.problem import CareError

READ_KEYS = 100
LEAST_SECONDS = 60
"""The shortest life that KV gives a value."""
SOON_SECONDS = 600
"""An expiration that is nearer is sent as a duration: a request may take a while to arrive."""

REPLACED = "\ufffd"
"""What stands in a text for bytes that are none."""


@dataclass(frozen=True)
class Key:
    """A key as a list shows it. `expires`: Unix seconds; `metadata`: any JSON, `None` where there is none."""

    name: str
    expires: int | None = None
    metadata: Any = None


@dataclass(frozen=True)
class Record:
    """A key with its value."""

    key: Key
    value: bytes


@dataclass(frozen=True)
class KeyPage:
    """Keys in the order of their UTF-8 bytes; `cursor` lists what follows, empty at the end."""

    keys: list[Key]
    cursor: str


class Namespace:
    """The namespace at `path` of the API.

    A bulk read gives texts, and drops a byte order mark at the beginning of a value. `is_exact` reads each value by
    itself, byte for byte, which takes one of 1,200 requests in five minutes for each key.
    """

    def __init__(
        self, api: Api, path: str, *, is_exact: bool = False, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._api = api
        self._path = path
        self._is_exact = is_exact
        self._sleep = sleep

    def keys(self, cursor: str = "") -> KeyPage:
        """Lists at most 1,000 keys. Raises `Refused` where the cursor is not taken any more."""
        query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        body = self._api.envelope("GET", f"{self._path}/keys", query=query)
        keys = [Key(key["name"], key.get("expiration"), key.get("metadata")) for key in body["result"]]
        return KeyPage(keys, (body.get("result_info") or {}).get("cursor") or "")

    def records(self, keys: Sequence[Key]) -> list[Record]:
        """The records of at most `READ_KEYS` keys, without those that are gone."""
        if self._is_exact:
            return [Record(key, value) for key in keys if (value := self._bytes(key.name)) is not None]
        wanted = {"keys": [key.name for key in keys], "type": "text", "withMetadata": True}
        try:
            found = self._api.call("POST", f"{self._path}/bulk/get", wanted)["values"]
        except Refused as refusal:
            if refusal.status != 413:
                raise
            if len(keys) > 1:
                half = len(keys) // 2
                return self.records(keys[:half]) + self.records(keys[half:])
            found = {keys[0].name: REPLACED}
        return [record for key in keys if (record := self._record(key, found.get(key.name))) is not None]

    def _record(self, key: Key, found: Any) -> Record | None:
        if found is None:
            return None
        if isinstance(found, dict):
            # Newer than the list, if the value was written since.
            key = Key(key.name, found.get("expiration") or key.expires, found.get("metadata"))
            found = found.get("value")
        # A bulk read gives text only. What is none is read again by itself.
        value = self._bytes(key.name) if not isinstance(found, str) or REPLACED in found else found.encode()
        return None if value is None else Record(key, value)

    def _bytes(self, name: str) -> bytes | None:
        try:
            return self._api.send("GET", f"{self._path}/values/{quote(name, safe='')}").content
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def write(self, records: Sequence[Record], now: int) -> None:
        """Writes records, each with a minute to live at least. Raises `CareError` where some can't be written."""
        left = {record.key.name: _pair(record, now) for record in records}
        for attempt in range(TRIES):
            result = self._api.call("PUT", f"{self._path}/bulk", list(left.values())) or {}
            failed = set(result.get("unsuccessful_keys") or ())
            left = {name: pair for name, pair in left.items() if name in failed}
            if not left:
                return
            self._sleep(2.0**attempt)
        raise CareError(
            f"Cloudflare did not write {len(left)} of {len(records)} keys, {TRIES} times in a row. Run the same "
            "command again: it goes on from here."
        )


def _pair(record: Record, now: int) -> dict[str, Any]:
    pair: dict[str, Any] = {"key": record.key.name}
    try:
        pair["value"] = record.value.decode()
    except UnicodeDecodeError:
        pair |= {"value": base64.b64encode(record.value).decode(), "base64": True}
    if record.key.metadata is not None:
        pair["metadata"] = record.key.metadata
    if record.key.expires is not None:
        left = record.key.expires - now
        if left < SOON_SECONDS:
            pair["expiration_ttl"] = max(LEAST_SECONDS, left)
        else:
            pair["expiration"] = record.key.expires
    return pair


def pair_bytes(record: Record) -> int:
    """About how many bytes of a bulk write a record takes."""
    metadata = 0 if record.key.metadata is None else len(json.dumps(record.key.metadata))
    return len(record.value) * 3 // 2 + len(record.key.name.encode()) + metadata + 100
