"""What is printed: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, TextIO

# All but tab and newline: what a tool answers must not move a terminal's cursor, retitle it, or turn text around.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class ReaderGone(Exception):
    """Nothing reads what is printed any more, such as `head`, which has seen enough."""


class Output:
    """`as_json`: one JSON document on one line, or one for each part of what goes on. `quiet`: only results, and
    errors."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def result(self, value: Any, text: str | None = None) -> None:
        """Prints a result: the JSON of `value`, or `text`, or what is readable of the value."""
        if self.as_json:
            self.text(to_text(value))
        elif text is not None:
            self.text(text)
        else:
            self.text(value if isinstance(value, str) else to_text(value, indent=2 if sys.stdout.isatty() else None))

    def text(self, text: str, *, end: str = "\n") -> None:
        """Prints text. A file and a pipe get it as it is."""
        _write(sys.stdout, printable(text, sys.stdout) + end)

    def raw(self, text: str) -> None:
        """Prints the content of a file, which ends as it ends."""
        self.text(text, end="" if text.endswith("\n") else "\n")

    def note(self, text: str) -> None:
        """Says something on stderr."""
        if not self.quiet:
            complain(text)

    def progress(self, report: Any) -> None:
        """Shows what a tool reports, on stderr."""
        if self.as_json:
            self.note(to_text({"progress": report}))
        else:
            self.note(f"… {_progress_text(report)}")


def complain(text: str) -> None:
    """Writes a line to stderr."""
    _write(sys.stderr, printable(text, sys.stderr) + "\n")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        # Not as it is: click would make an exit code of its own of it.
        raise ReaderGone from error


def printable(text: str, stream: TextIO) -> str:
    """`text` for a stream: a terminal gets control characters as their numbers."""
    if not stream.isatty():
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def to_text(value: Any, *, indent: int | None = None) -> str:
    """The JSON of plain values, and of the client's types."""
    import msgspec

    plain = msgspec.to_builtins(value, str_keys=True)
    separators = None if indent else (",", ":")
    return json.dumps(plain, ensure_ascii=False, indent=indent, separators=separators)


def _progress_text(report: Any) -> str:
    if isinstance(report, dict) and isinstance(report.get("progress"), int | float):
        total, message = report.get("total"), report.get("message")
        if message and not total:
            return str(message)
        return f"{report['progress']}{f'/{total}' if total else ''}{f' {message}' if message else ''}"
    return report if isinstance(report, str) else to_text(report)
