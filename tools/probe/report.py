"""What a run writes: the table for people, the JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from simulation.cost import DOLLARS
from tools.probe.caller import Target
from tools.probe.promises import PAGE
from tools.probe.rows import Row
from tools.probe.run import Findings
from tools.probe.where import places

HEAD = Row("what", "measured", f"promised ({PAGE})", "")
WIDTHS = (34, 40, 44, 11)


def table(rows: Iterable[Row]) -> str:
    """The rows in columns."""
    lines = []
    for row in (HEAD, *rows):
        cells = [
            textwrap.wrap(text, width) or [""]
            for text, width in zip((row.what, row.measured, row.promised, row.verdict), WIDTHS, strict=True)
        ]
        lines += [_line(parts) for parts in zip_longest(*cells, fillvalue="")]
        if row is HEAD:
            lines.append(_line(["-" * width for width in WIDTHS]))
    return "\n".join(lines) + "\n"


def _line(parts: Sequence[str]) -> str:
    return "  ".join(f"{part:<{width}}" for part, width in zip(parts, WIDTHS, strict=True)).rstrip()


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
