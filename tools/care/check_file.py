"""Reads an export from its first line to its last, before anything of it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.care.export_file import Line, is_gzip, is_header, parts, to_record
from tools.care.namespace import Record
from tools.care.problem import CareError


@dataclass(frozen=True)
class Checked:
    """A file that is a whole export. `digest`: SHA-256 of its lines; `signing_key`: a fingerprint, or `None`."""

    path: Path
    records: int
    digest: str
    signing_key: str | None

    def read(self) -> Iterator[Record]:
        """The records, in the order of the file."""
        return (to_record(line) for line in _lines(self.path) if "key" in line)


def check(path: Path) -> Checked:
    """Reads all of `path`. Raises `CareError` where it is not whole, was changed, or is no export."""
    digest, first, last, count, before = hashlib.sha256(), None, {}, 0, b""
    try:
        with path.open("rb") as file:
            for part in parts(file, compressed=is_gzip(path)):
                lines = part.lines()
                if first is None:
                    first = lines[0]
                    if not is_header(first):
                        break
                last = lines[-1]
                for line in lines:
                    if "key" in line:
                        key, count = to_record(line).key.name.encode(), count + 1
                        if key <= before:
                            raise CareError(f"The keys of {path} are not in order: it was changed.")
                        before = key
                if "end" not in last:
                    digest.update(part.text)
    except OSError as error:
        raise CareError(f"{path} can't be read ({error.strerror or error}).") from error
    if first is None or not is_header(first):
        raise CareError(f"{path} is no export of Waypost.")
    if "end" not in last:
        raise CareError(f"{path} is cut off after {count:,} keys: it has no last line. Export again, or copy it again.")
    if (last.get("records"), last.get("sha256")) != (count, digest.hexdigest()):
        raise CareError(f"{path} was changed since it was made: its checksum does not fit.")
    return Checked(path, count, digest.hexdigest(), first.get("signingKey"))


def _lines(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            for part in parts(file, compressed=is_gzip(path)):
                yield from part.lines()
    except OSError as error:
        raise CareError(f"{path} can't be read ({error.strerror or error}).") from error
