"""The names under which MCP clients see the tools of a session.

MCP allows `.` and `/` and 128 characters; the APIs of models do not, and refuse a whole chat for one such name. So a
client sees a mapped name. It depends on the tool's own name alone, so that it stays the same over a reload, and when
other tools come and go. That is why two tools with one mapped name are refused, and not told apart by a number.
"""

import re
from collections.abc import Iterator

from waypost_worker.limits import MAX_MAPPED_NAME_LENGTH

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


def mapped_name(name: str) -> str:
    """`name` as 1 to 64 characters out of `A-Z a-z 0-9 _ -`: every other character becomes `_`, and the end of a long
    name becomes a hash of the whole."""
    mapped = _FOREIGN.sub("_", name)
    if len(mapped) <= MAX_MAPPED_NAME_LENGTH:
        return mapped
    return f"{mapped[: MAX_MAPPED_NAME_LENGTH - 9]}_{_fnv1a(name):08x}"


def original_names(names: list[str]) -> dict[str, str]:
    """Mapped name -> tool's own name, for the tools of `names` that clients see under another name than their own.

    Where two tools have one mapped name, which only lists of other versions have, the tool of that name has it, or the
    first one.
    """
    own = set(names)
    originals: dict[str, str] = {}
    for name in names:
        mapped = mapped_name(name)
        if mapped != name and mapped not in own:
            originals.setdefault(mapped, name)
    return originals


def clashes(names: list[str], *, map_names: bool) -> Iterator[tuple[int, int, str]]:
    """`(later, earlier, what)` for each name of the list that an earlier one rules out; `later` and `earlier` are
    indexes, and `what` begins the clause that the earlier name ends."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        key = mapped_name(name) if map_names else name
        earlier = first.setdefault(key, index)
        if names[earlier] == name and earlier != index:
            yield index, earlier, "the same name as another:"
        elif earlier != index:
            yield index, earlier, f"the name {key} for MCP clients (mapToolNames), as has"


def _fnv1a(text: str) -> int:
    """https://datatracker.ietf.org/doc/draft-eastlake-fnv/: short enough for `waypost.js` too, where the browser's own
    hashes are asynchronous, and absent on pages without HTTPS."""
    digest = _FNV_OFFSET
    for byte in text.encode():
        digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return digest
