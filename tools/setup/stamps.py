"""Remembers what a finished step was made from, so that it is done again when that changes, and only then.

Standard library only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def content_key(files: Iterable[Path], *facts: str) -> str:
    """Return a digest of the contents of `files`, in the given order, and of further `facts`."""
    digest = hashlib.sha256()
    for part in [*(path.read_bytes() for path in files), *(fact.encode() for fact in facts)]:
        # The length keeps a byte that moves from one part to the next from going unnoticed.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


class Stamp:
    """The key of the last finished run of one step, in a file.

    A caller removes the stamp before the work and sets it after, so an interrupted step counts as never done.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def matches(self, key: str) -> bool:
        """Tell whether the step was finished, with this key."""
        try:
            return self._path.read_text() == key
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Forget the last run."""
        self._path.unlink(missing_ok=True)

    def set(self, key: str) -> None:
        """Remember that the step was finished with this key."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(key)
        unfinished.replace(self._path)
