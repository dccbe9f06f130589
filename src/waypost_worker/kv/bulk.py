"""Many keys: read in operations of at most 100 keys and in batches that fit into an isolate's memory; deleted a few at
a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from waypost_worker.kv.store import Kv
from waypost_worker.kv.together import a_few_at_once
from waypost_worker.limits import KV_MAX_BULK_KEYS, MAX_LOADED_BYTES

T = TypeVar("T")


async def get_all(kv: Kv, keys: Sequence[str]) -> dict[str, str]:
    """The values of any number of keys, one operation for each 100; a key that was not found is not in the result."""
    values: dict[str, str] = {}
    for start in range(0, len(keys), KV_MAX_BULK_KEYS):
        values |= await kv.get_many(keys[start : start + KV_MAX_BULK_KEYS])
    return values


async def delete_all(kv: Kv, keys: Sequence[str]) -> None:
    """Deletes `keys`, which need not exist; one operation for each. After a failure some are deleted.

    Raises:
        KvError, StorageUnavailable, BudgetSpent
    """
    await a_few_at_once([partial(kv.delete, key) for key in keys])


def batches(items: Iterable[T], size_of: Callable[[T], int | None]) -> Iterator[list[T]]:
    """Cuts `items`, in their order, so that the values of a batch fit into one operation and into memory: at most 100
    values and 4 MiB, or a single larger value.

    `size_of` returns the bytes of an item's value, or `None` if the item has no value to read.
    """
    batch: list[T] = []
    count = total = 0
    for item in items:
        size = size_of(item)
        if batch and size is not None and (count == KV_MAX_BULK_KEYS or total + size > MAX_LOADED_BYTES):
            yield batch
            batch, count, total = [], 0, 0
        batch.append(item)
        if size is not None:
            count += 1
            total += size
    if batch:
        yield batch
