"""The table of ratios in docs/benchmarks.md: some figures of the last full run, as they were printed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.local.local_worker import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"

ROWS = (
    ("the median of the calls", "bare Python"),
    ("request", "bare Python"),
    ("response", "bare Python"),
    ("poll", "bare Python"),
    ("open a stream", "bare Python, open a stream"),
    ("request", "FastAPI, request"),
    ("request", "bare JavaScript"),
    ("request, 4 connections", "JavaScript, same keys"),
    ("poll, 4 connections", "JavaScript, same keys"),
    ("request, 4 connections, no limits bound", "JavaScript, same keys, no limits bound"),
    ("request, 4 connections", "JavaScript, JSON array"),
    ("same isolate, to the tab", "polls once a second"),
    ("same isolate, there and back", "polls once a second"),
    ("same isolate, store in memory, to the tab", "FastAPI + Redis"),
    ("same isolate, store in memory, there and back", "FastAPI + Redis"),
    ("same isolate, there and back", "FastAPI + Redis"),
    ("two isolates, by polling after a rest, there and back", "polls once a second"),
    ("a call, there and back", "JavaScript, store then deliver"),
    ("a call, there and back", "FastAPI + Redis, as far away"),
    ("an answer, to its 202", "one write, JavaScript"),
    ("a document written", "JavaScript, store then deliver"),
    ("a chat's first word, beyond the model's silence", "one write, JavaScript"),
    ("a chat's first word, beyond the model's silence", "JavaScript, store then deliver"),
    ("CPU to the first reply, as in production, from a snapshot", "the SDK alone"),
)
"""The rows of the table: what is measured, and beside what. The other figures are in the JSON."""

_TABLE = re.compile(r"(?<=<!-- bench: begin -->\n).*?(?=<!-- bench: end -->)", re.DOTALL)
_RUN = re.compile(r"its run of [\d-]+ [\d:]+ UTC on \d+ cores")


def table(results: Mapping[str, Any]) -> str:
    """The rows of `results`, the JSON of a run. One that was skipped, Redis where there is none, has no row."""
    ratios = {(each["name"], each["against"]): each for each in results["figures"] if each["ratio"]}
    lines = ["| what | beside | ratio (quartiles) | goal |", "|---|---|---|---|"]
    for row in ROWS:
        if row not in ratios:
            continue
        ratio = ratios[row]["ratio"]
        spread = f"{short(ratio['median'])} ({short(ratio['low'])} to {short(ratio['high'])})"
        lines.append(f"| {row[0]} | {row[1]} | {spread} | {ratios[row]['goal'] or ''} |")
    return "\n".join(lines) + "\n"


def short(value: float) -> str:
    """Two digits of what is below one, three of the rest."""
    return f"{value:.2g}" if value < 1 else f"{value:.3g}"


def filled(page: str, results: Mapping[str, Any]) -> str:
    """The text of the page with the table, the date and the machine of `results`. The prose is written by people."""
    about = f"its run of {results['date']} on {results['machine']['cores']} cores"
    return _RUN.sub(about, _TABLE.sub(lambda _: table(results), page))


def write(results: Mapping[str, Any]) -> None:
    """Write the table into the page."""
    PAGE.write_text(filled(PAGE.read_text(), results))


if __name__ == "__main__":
    write(json.loads((ROOT / "bench" / "results.json").read_text()))
