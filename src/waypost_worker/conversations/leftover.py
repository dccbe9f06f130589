"""What is stored for the threads of a resource without their records, which may have expired before it."""

from waypost_worker.kv.keys import owned_prefixes, owner_of
from waypost_worker.kv.store import Kv, ListedKey, list_all

EMPTY = "empty"
"""The metadata of a snapshot without messages."""


async def sessions_with_content(kv: Kv, prefix: str) -> set[str]:
    """The session ids that begin with `prefix` and own a document, a page or a message. Costs a list for each kind of
    key and each thousand keys.

    Raises:
        StorageUnavailable, BudgetSpent
    """
    found: set[str] = set()
    for kind in owned_prefixes(prefix):
        async for keys in list_all(kv, kind):
            found |= {owner_of(key.name) for key in keys if not _is_tombstone(key)}
    return found


def _is_tombstone(key: ListedKey) -> bool:
    """Whether `key` is what stays of a conversation that was deleted: an entry or a snapshot without messages."""
    if not key.name.startswith("conv:") or key.metadata is None:
        return False
    # Every message has a content, a popped one too.
    return key.metadata == EMPTY or '"content"' not in key.metadata
