"""Stamps: a finished step's inputs as a digest in a file. A step whose digest is the same is not done again.

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
        # With the length, a byte that moves from one part to the next changes the digest.
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
        """Return whether the step was finished with this key."""
        try:
            return self._path.read_text() == key
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Delete the stamp: the step counts as not done."""
        self._path.unlink(missing_ok=True)

    def set(self, key: str) -> None:
        """Write that the step was finished with this key."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(key)
        unfinished.replace(self._path)
