"""Whether a text has left a trace on a server: in its store, in its log, in what it was sent, however it is written."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path


def spellings(text: str) -> set[bytes]:
    """`text` as bytes, in every way in which it may have been written down."""
    plain = [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode()]
    plain.append(json.dumps(json.dumps(text))[3:-3].encode())
    return set(plain) | {piece for spelling in plain for piece in _inside_base64(spelling)}


def _inside_base64(data: bytes) -> Iterator[bytes]:
    """What stands for `data` within the base64 of something longer, wherever it begins there."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        # Without the characters that also stand for bits of what comes before, or after.
        piece = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield piece
        yield piece.translate(bytes.maketrans(b"+/", b"-_"))


def traces(text: str, state: Path, log: str) -> list[str]:
    """Where `text` is found: files of the store below `state`, rows of its databases, and `log`."""
    needles = spellings(text)

    def has(data: bytes) -> bool:
        return any(needle in data for needle in needles)

    files = [path for path in state.rglob("*") if path.is_file()]
    found = [f"file {path.name}" for path in files if has(_content(path))]
    for path in files:
        if path.suffix == ".sqlite":
            found += [f"row of {table}" for table, row in _rows(path) if has(row)]
    return found + (["log"] if has(log.encode()) else [])


def _content(path: Path) -> bytes:
    """A file's bytes; none of one that the running database has removed meanwhile, as it does with its journals."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every row of a database, as bytes: a long one may be split in the file."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 (the database's own names)
                yield table, b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    finally:
        database.close()
