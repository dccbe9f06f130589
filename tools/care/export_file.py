"""The file of an export: JSON lines, as one gzip stream where its name ends in `.gz`.

    {"waypost-export":1,"made":"2026-11-26T23:00:00Z","namespace":"…","signingKey":"…"}   the first line
    {"key":"session:K7Q2M9XA","text":"{…}","metadata":{"m":"…"},"expires":1796000000}      a record: one key
    {"key":"img:…","base64":"/9j/4AAQ…"}                                                   a value that is no text
    {"through":"session:K7Q2M9XA","cursor":"…","records":100,"gone":0}                     all up to this key is there
    {"end":true,"records":5200,"gone":3,"sha256":"…"}                                      the last line

`signingKey` is the fingerprint of the key that signed there, `null` where it was not asked for. `expires` is in Unix
seconds, and missing where a value does not expire. Keys stand in the order of their UTF-8 bytes, each once. `gone`
counts keys that were listed, and had expired or were deleted before their value was read. `sha256` is that of all lines
above, with their newlines, uncompressed.

The lines up to a `through` are a part, in a gzip file a member. A part that is not whole counts as not there.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tools.care.namespace import Key, Record
from tools.care.problem import CareError

VERSION = 1
READ_BYTES = 1 << 16
MAX_PART_BYTES = 256 << 20
"""Far more than an export writes into one part: 100 records, of which one may have 25 MiB."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Whole lines, uncompressed, and where the part ends in the file."""

    text: bytes
    end: int

    def lines(self) -> list[Line]:
        """The lines, decoded. Raises `CareError`."""
        try:
            return [json.loads(line) for line in self.text.splitlines()]
        except ValueError as error:
            raise CareError(
                f"The file has a line that is no JSON ({error}): it was changed, or is no export."
            ) from error


def is_gzip(path: Path) -> bool:
    """Whether an export of this name is compressed, by the end of the name without `.partial`."""
    return path.name.removesuffix(".partial").endswith(".gz")


def parts(file: IO[bytes], *, compressed: bool) -> Iterator[Part]:
    """The whole parts of `file`, read one by one. What follows the last whole one is left out.

    Raises `CareError` where it is no export.
    """
    return _members(file) if compressed else _plain(file)


def _plain(file: IO[bytes]) -> Iterator[Part]:
    lines: list[bytes] = []
    size = end = 0
    for line in iter(lambda: file.readline(MAX_PART_BYTES), b""):
        if not line.endswith(b"\n"):
            return
        lines.append(line)
        size += len(line)
        end += len(line)
        _check_size(size)
        if not line.startswith(b'{"key":'):
            yield Part(b"".join(lines), end)
            lines, size = [], 0


def _members(file: IO[bytes]) -> Iterator[Part]:
    end = 0
    read = file.read(READ_BYTES)
    while read:
        member, text = zlib.decompressobj(wbits=31), bytearray()
        while read and not member.eof:
            end += len(read)
            try:
                text += member.decompress(read)
            except zlib.error as error:
                raise CareError(f"The file is not compressed as an export is ({error}), or is damaged.") from error
            _check_size(len(text))
            read = file.read(READ_BYTES) if not member.eof else b""
        if not member.eof:
            return
        end -= len(member.unused_data)
        yield Part(bytes(text), end)
        read = member.unused_data or file.read(READ_BYTES)


def _check_size(size: int) -> None:
    if size > MAX_PART_BYTES:
        raise CareError("The file has a part that is larger than any of an export: it is none.")


def is_header(line: Line) -> bool:
    """Whether `line` can begin an export. Raises `CareError` where it begins one of another version."""
    version = line.get("waypost-export")
    if version is not None and version != VERSION:
        raise CareError(f"The file is an export of version {version}; this Waypost reads version {VERSION}.")
    return version == VERSION


def encode(line: Line) -> bytes:
    """A line of the file, with its newline."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def to_line(record: Record) -> Line:
    """The line of a record."""
    line: Line = {"key": record.key.name}
    try:
        line["text"] = record.value.decode()
    except UnicodeDecodeError:
        line["base64"] = base64.b64encode(record.value).decode()
    if record.key.metadata is not None:
        line["metadata"] = record.key.metadata
    if record.key.expires is not None:
        line["expires"] = record.key.expires
    return line


def to_record(line: Line) -> Record:
    """The record of a line. Raises `CareError`."""
    try:
        value = line["text"].encode() if "text" in line else base64.b64decode(line["base64"], validate=True)
        expires = line.get("expires")
        if not isinstance(line["key"], str) or not isinstance(expires, int | None):
            raise TypeError("key or expires")
        return Record(Key(line["key"], expires, line.get("metadata")), value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CareError(f"The file has a record that is none ({error!r}): it was changed, or is no export.") from error


class Writer:
    """Appends parts to a file, each of which is on the disk when the call returns. `digest` is of all its lines."""

    def __init__(self, file: IO[bytes], digest: hashlib._Hash, *, compressed: bool) -> None:
        self._file = file
        self._digest = digest
        self._compressed = compressed

    def part(self, lines: list[Line]) -> None:
        """Writes a part. Raises `OSError`."""
        text = b"".join(map(encode, lines))
        self._file.write(gzip.compress(text, 6, mtime=0) if self._compressed else text)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._digest.update(text)

    def end(self, records: int, gone: int) -> None:
        """Writes the last line."""
        self.part([{"end": True, "records": records, "gone": gone, "sha256": self._digest.hexdigest()}])
