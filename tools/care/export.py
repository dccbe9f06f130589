"""`make export`: writes a whole namespace into a file, and goes on where it was stopped.

The file has `.partial` behind its name until it is whole. Its last whole part says up to which key it goes, and with
which cursor the page of that key was listed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.care.api import Refused
from tools.care.export_file import VERSION, Line, Writer, is_gzip, is_header, parts, to_line
from tools.care.namespace import READ_KEYS, Key, Namespace
from tools.care.problem import CareError
from tools.care.progress import Progress


@dataclass
class Reached:
    """How far an export is: everything up to the key `through`, which was listed with `cursor`."""

    through: str = ""
    cursor: str = ""
    records: int = 0
    gone: int = 0

    def line(self) -> Line:
        """The line that ends a part."""
        return {"through": self.through, "cursor": self.cursor, "records": self.records, "gone": self.gone}


def header(made: str, namespace: str, signing_key: str | None) -> Line:
    """The first line of an export; `signing_key` is a fingerprint, `None` where it is not known."""
    return {"waypost-export": VERSION, "made": made, "namespace": namespace, "signingKey": signing_key}


def export(namespace: Namespace, path: Path, first: Line, progress: Progress) -> Reached:
    """Writes `path`, which only its owner may read, and returns what is in it. Raises `CareError`."""
    if path.exists():
        raise CareError(f"{path} exists already. Name another file: FILE=…")
    partial = path.with_name(path.name + ".partial")
    try:
        with _opened(partial) as file:
            digest = hashlib.sha256()
            writer = Writer(file, digest, compressed=is_gzip(path))
            reached = _resumed(file, digest, partial, first)
            if reached is None:
                reached = Reached()
                writer.part([first])
            for lines in _read(namespace, reached, progress):
                writer.part(lines)
            writer.end(reached.records, reached.gone)
        partial.rename(path)
    except OSError as error:
        raise CareError(
            f"{partial} can't be written ({error.strerror or error}). What is in it stays: make room, and run the same "
            "command again."
        ) from error
    return reached


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CareError(f"Another export writes {path} at this moment.") from None
        # A file that was there may be open to others.
        os.fchmod(descriptor, 0o600)
        yield file


def _resumed(file: IO[bytes], digest: hashlib._Hash, path: Path, first: Line) -> Reached | None:
    """Cuts off what is not whole and returns how far the file is; `None` where it holds nothing yet."""
    reached, end = None, 0
    for part in parts(file, compressed=is_gzip(path)):
        lines = part.lines()
        if reached is None:
            _check_same(lines[0], first, path)
            reached = Reached()
        elif "end" in lines[-1]:
            # Whole but for its name. The trailer is written again.
            break
        else:
            reached = Reached(**{name: lines[-1][name] for name in ("through", "cursor", "records", "gone")})
        digest.update(part.text)
        end = part.end
    file.truncate(end)
    file.seek(end)
    return reached


def _check_same(found: Line, first: Line, path: Path) -> None:
    if not is_header(found) or any(found.get(name) != first[name] for name in ("namespace", "signingKey")):
        raise CareError(
            f"{path} is the beginning of another export than this one. Remove it, or name another file: FILE=…"
        )


def _read(namespace: Namespace, reached: Reached, progress: Progress) -> Iterator[list[Line]]:
    """The lines of each further part; `reached` is then how far they go."""
    cursor: str | None = reached.cursor
    while cursor is not None:
        try:
            page = namespace.keys(cursor)
        except Refused:
            if not cursor:
                raise
            # Cloudflare does not say how long a cursor holds. Without it, what is there already is listed again.
            cursor = ""
            continue
        done = reached.through.encode()
        keys = [key for key in page.keys if key.name.encode() > done]
        for start in range(0, len(keys), READ_KEYS):
            yield _part(namespace, keys[start : start + READ_KEYS], cursor, reached)
            progress.show(reached.records)
        cursor = page.cursor or None


def _part(namespace: Namespace, keys: list[Key], cursor: str, reached: Reached) -> list[Line]:
    records = namespace.records(keys)
    reached.through, reached.cursor = keys[-1].name, cursor
    reached.records += len(records)
    reached.gone += len(keys) - len(records)
    return [*map(to_line, records), reached.line()]
