"""The storage port on a KV namespace of Cloudflare."""

from collections.abc import Callable, Sequence
from typing import Any

import js
import msgspec
from pyodide.ffi import JsException, jsnull, to_js  # type: ignore[attr-defined]  # stubs lack jsnull

from waypost_worker.kv.failures import failure_of
from waypost_worker.kv.store import ListedKey, ListPage, wrap_metadata
from waypost_worker.limits import KV_READ_CACHE_SECONDS


class CloudflareKv:
    """The storage port on a KV namespace's binding. `read_cache_seconds`: how long its location caches what is read."""

    def __init__(self, namespace: Any, read_cache_seconds: int = KV_READ_CACHE_SECONDS) -> None:
        self._namespace = namespace
        self._as_text = js.JSON.parse(f'{{"cacheTtl":{read_cache_seconds}}}')
        self._as_bytes = js.JSON.parse(f'{{"cacheTtl":{read_cache_seconds},"type":"arrayBuffer"}}')

    async def get(self, key: str) -> str | None:
        return text_or_none(await _kv("get", self._namespace.get, key, self._as_text))

    async def get_bytes(self, key: str) -> bytes | None:
        value = await _kv("get", self._namespace.get, key, self._as_bytes)
        # JavaScript's null is not None in Python.
        return None if value is None or value is jsnull else value.to_bytes()

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        found = await _kv("get", self._namespace.get, to_js(keys), self._as_text)
        return {key: text for key in keys if (text := text_or_none(found.get(key))) is not None}

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        options = b'{"expirationTtl":%d}' % ttl_seconds
        if metadata is not None:
            options = b'{"expirationTtl":%d,"metadata":%s}' % (ttl_seconds, wrap_metadata(metadata))
        sent = value if isinstance(value, str) else to_js(value)
        await _kv("put", self._namespace.put, key, sent, js.JSON.parse(options.decode()))

    async def delete(self, key: str) -> None:
        await _kv("delete", self._namespace.delete, key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        options: dict[str, str | int] = {"prefix": prefix, "limit": limit}
        if cursor is not None:
            options["cursor"] = cursor
        listed = await _kv("list", self._namespace.list, js.JSON.parse(msgspec.json.encode(options).decode()))
        # One crossing for the whole page instead of several for each key.
        page = _decode_page(js.JSON.stringify(listed))
        keys = tuple(ListedKey(key.name, key.metadata.m if key.metadata else None) for key in page.keys)
        return ListPage(keys, None if page.list_complete else page.cursor)


class _Metadata(msgspec.Struct):
    m: str | None = None


class _Key(msgspec.Struct):
    name: str
    metadata: _Metadata | None = None


class _Page(msgspec.Struct):
    keys: list[_Key]
    list_complete: bool
    cursor: str | None = None


_decode_page = msgspec.json.Decoder(_Page).decode


async def _kv(operation: str, call: Callable[..., Any], *args: Any) -> Any:
    # Called in here, since a limit may be thrown by the call instead of by its promise.
    try:
        return await call(*args)
    except JsException as error:
        raise failure_of(str(error), operation) from error


def text_or_none(value: Any) -> str | None:
    """`value`, or `None` for JavaScript's null and undefined, which are not `None` in Python."""
    return value if isinstance(value, str) else None
