"""One call of each KV operation."""

from waypost_worker.kv.store import Kv


async def every_operation(kv: Kv) -> None:
    """Call each operation, and check what it gives back."""
    await kv.put("a", "1", ttl_seconds=60, metadata="m")
    assert await kv.get("a") == "1"
    assert await kv.get_many(["a"]) == {"a": "1"}
    assert [key.metadata for key in (await kv.list("a", cursor=None, limit=1)).keys] == ["m"]
    await kv.delete("a")
    assert await kv.get("a") is None
