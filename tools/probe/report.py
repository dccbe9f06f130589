"""What a run writes: the table for people, the JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from tools.prices import DOLLARS
from tools.probe.caller import Target
from tools.probe.promises import PAGE
from tools.probe.rows import OK, Row
from tools.probe.run import Findings
from tools.probe.where import places

GAP = "  "
HEAD = Row("what", "measured", f"promised ({PAGE})", "")
MIN_WIDTH, MAX_WIDTH = 80, 140
"""Characters of a line."""


def widths(width: int) -> tuple[int, int, int, int]:
    """The widths of the columns in lines of `width` characters."""
    what = 34 if width >= 120 else 20
    left = min(max(width, MIN_WIDTH), MAX_WIDTH) - what - len(OK) - 3 * len(GAP)
    return what, left - left // 2, left // 2, len(OK)


def table(rows: Iterable[Row], width: int = MAX_WIDTH) -> str:
    """The rows in columns, in lines of at most `width` characters."""
    columns, lines = widths(width), []
    for row in (HEAD, *rows):
        cells = [
            textwrap.wrap(text, width) or [""]
            for text, width in zip((row.what, row.measured, row.promised, row.verdict), columns, strict=True)
        ]
        lines += [_line(parts, columns) for parts in zip_longest(*cells, fillvalue="")]
        if row is HEAD:
            lines.append(_line(["-" * column for column in columns], columns))
    return "\n".join(lines) + "\n"


def _line(parts: Sequence[str], columns: Sequence[int]) -> str:
    return GAP.join(f"{part:<{width}}" for part, width in zip(parts, columns, strict=True)).rstrip()


def closing(target: Target, found: Findings) -> str:
    """The sentences below the table: what it cost, what is left, what the person may meet now."""
    operations = target.operations
    most = operations * max(DOLLARS.values())
    sentences = [f"{operations} KV operations in replies, ${most:.4f} at most; those of open streams come on top."]
    if found.left:
        sentences.append(
            f"{found.left} of the {found.made} sessions and documents of this run could not be deleted; they expire by "
            "themselves within a day."
        )
    else:
        sentences.append(f"The {found.made} sessions and documents of this run are deleted.")
    if found.guesses.refused_after is not None:
        sentences.append("For a minute, codes that it has not used yet are refused to this address.")
    return "\n".join(sentences) + "\n"


def as_json(target: Target, found: Findings, rows: Iterable[Row]) -> str:
    """Everything, with each single time."""
    whole: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "url": target.url,
        "rows": [asdict(row) for row in rows],
        **asdict(found),
        "isolates": sorted(found.meetings.isolates),
        "pairs": found.meetings.pairs,
        "pairs_met": found.meetings.met,
        "places": places(target.replies),
        "operations": target.operations,
        "requests": len(target.replies),
    }
    return json.dumps(whole, indent=2) + "\n"
