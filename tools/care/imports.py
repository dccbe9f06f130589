"""`make import`: writes an export into a namespace, and goes on where it was stopped.

How far it is stands beside the file, in `FILE.importing`, until all of it is written. It is noted after Cloudflare has
confirmed a write. So a write may be repeated, with the same values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tools.care.check_file import Checked
from tools.care.namespace import LEAST_SECONDS, Namespace, Record, pair_bytes
from tools.care.problem import CareError
from tools.care.progress import Progress

BATCH_RECORDS = 1000
"""A tenth of what the API takes: it has answered 524 to larger writes (cloudflare/workers-sdk#7021)."""
BATCH_BYTES = 16_000_000

MERGES = ("keep", "replace")
"""What happens to a key that the namespace has already."""


@dataclass
class Written:
    """How far an import is.

    `read` records of the file are done: `written`, `kept` (the namespace's own value stays) or `expired`. Of those
    written, `prolonged` would have lived for less than a minute, and live for a minute.
    """

    namespace: str
    digest: str
    merge: str
    read: int = 0
    written: int = 0
    kept: int = 0
    expired: int = 0
    prolonged: int = 0


class Note:
    """The note beside the file about how far its import is."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".importing")

    def read(self) -> Written | None:
        """What it says; `None` where there is none, or one that can't be read."""
        try:
            return Written(**json.loads(self._path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, written: Written) -> None:
        """Replaces it. Raises `CareError`."""
        new = self._path.with_name(self._path.name + ".new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(asdict(written), file)
            new.replace(self._path)
        except OSError as error:
            raise CareError(
                f"{self._path} can't be written ({error.strerror or error}): it says how far the import is. Make room, "
                "and run the same command again."
            ) from error

    def remove(self) -> None:
        """Removes it."""
        with suppress(FileNotFoundError):
            self._path.unlink()


def check_key(made_with: str | None, accepted: tuple[str, ...] | None) -> None:
    """Raises `CareError` where the target does not accept tokens that the file's deployment has signed."""
    if accepted is None or made_with in accepted:
        return
    if made_with is None:
        raise CareError("The file does not say which key signed where it was made. ANY_KEY=1 imports it all the same.")
    raise CareError(
        "The target has another SIGNING_KEY than the deployment that was exported. All tokens and MCP sessions would "
        "stop working: tabs would have to open new sessions. Chats, threads and MCP addresses are not affected. Give "
        "the target the same key, or say ANY_KEY=1."
    )


def import_(
    namespace: Namespace, name: str, file: Checked, merge: str, progress: Progress, now: Callable[[], float]
) -> Written:
    """Writes the records of `file` into `namespace`, whose name in the note is `name`; returns what happened to them.

    `merge` is one of `MERGES`, or empty for a namespace that must have no key. Raises `CareError`.
    """
    note = Note(file.path)
    written = _begun(note, namespace, name, file, merge)
    existing = _Existing(namespace) if written.merge == "keep" else None
    batch, size, seconds = list[Record](), 0, int(now())
    # Counts what is in the batch too; the note gets what is confirmed.
    for number, record in enumerate(file.read(), 1):
        if number <= written.read:
            continue
        cost = pair_bytes(record)
        if len(batch) == BATCH_RECORDS or size + cost > BATCH_BYTES and batch:
            _write(namespace, batch, number - 1, written, note, int(now()))
            progress.show(written.read)
            batch, size, seconds = [], 0, int(now())
        if record.key.expires is not None and record.key.expires <= seconds:
            written.expired += 1
        elif existing is not None and existing.has(record.key.name):
            written.kept += 1
        else:
            batch.append(record)
            size += cost
    _write(namespace, batch, file.records, written, note, int(now()))
    note.remove()
    return written


def _begun(note: Note, namespace: Namespace, name: str, file: Checked, merge: str) -> Written:
    noted = note.read()
    if noted is None or (noted.namespace, noted.digest) != (name, file.digest):
        written, own = Written(name, file.digest, merge), set[str]()
    elif merge and merge != noted.merge:
        raise CareError(f"This import was begun {f'with MERGE={noted.merge}' if noted.merge else 'without MERGE'}.")
    else:
        # The first write may have been done and not noted.
        written, own = noted, {record.key.name for record in islice(file.read(), BATCH_RECORDS)}
    if not written.merge and written.read == 0 and not _has_only(namespace, own):
        raise CareError(
            "The namespace has keys already. MERGE=keep writes only the keys that it lacks, MERGE=replace writes all, "
            "over what is there."
        )
    note.write(written)
    return written


def _has_only(namespace: Namespace, names: set[str]) -> bool:
    page = namespace.keys()
    return not page.cursor and all(key.name in names for key in page.keys)


def _write(namespace: Namespace, batch: list[Record], read: int, written: Written, note: Note, now: int) -> None:
    if batch:
        namespace.write(batch, now)
    written.written += len(batch)
    written.prolonged += sum(
        1 for record in batch if record.key.expires is not None and record.key.expires - now < LEAST_SECONDS
    )
    written.read = read
    note.write(written)


class _Existing:
    """The keys of a namespace, asked about in their order: each page of them is listed once."""

    def __init__(self, namespace: Namespace) -> None:
        self._names = _names(namespace)
        self._next = next(self._names, None)

    def has(self, name: str) -> bool:
        """Whether the key was there when its page was listed; must be asked for ascending names."""
        wanted = name.encode()
        while self._next is not None and self._next < wanted:
            self._next = next(self._names, None)
        return self._next == wanted


def _names(namespace: Namespace) -> Iterator[bytes]:
    cursor: str | None = ""
    while cursor is not None:
        page = namespace.keys(cursor)
        yield from (key.name.encode() for key in page.keys)
        cursor = page.cursor or None
