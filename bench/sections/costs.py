"""What things cost in KV operations and dollars: counted on the code that runs, not measured (`make cost`)."""

from __future__ import annotations

from bench.measure.figures import Results
from bench.measure.mode import Mode
from bench.measure.progress import Progress
from simulation.cost import table

SECTION = "cost"


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """The table of docs/cost.md as data."""
    del mode
    progress.step("counting")
    results.tables[SECTION] = rows(table())


def rows(markdown: str) -> list[dict[str, str]]:
    """The rows of a table in Markdown, by the words in its head."""
    head, _, *body = (
        [cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in markdown.strip().splitlines()
    )
    return [dict(zip(head, cells, strict=True)) for cells in body]
