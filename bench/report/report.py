"""Results as a table to read and as JSON to keep and compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measure.figures import Figure, Results
from bench.measure.stats import Spread

HEAD = ("what", "median", "quartiles", "beside", "ratio", "quartiles", "CPU ratio", "goal")
GOALS_HEAD = ("section", "what", "beside", "goal", "measured", "")


def number(value: float) -> str:
    """Three digits, or a whole number where it has more."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _range(spread: Spread | None) -> str:
    return f"{number(spread.low)} to {number(spread.high)}" if spread and spread.low != spread.high else ""


def _row(figure: Figure) -> tuple[str, ...]:
    ratio, met = figure.ratio, figure.is_met
    return (
        figure.name,
        f"{number(figure.value.median)} {figure.unit}",
        _range(figure.value),
        figure.against,
        f"{number(ratio.median)}×" if ratio else "",
        _range(ratio),
        f"{number(figure.cpu_ratio.median)}×" if figure.cpu_ratio else "",
        "" if met is None else f"{figure.goal} {'met' if met else 'MISSED'}",
    )


def _goal(figure: Figure) -> tuple[str, ...]:
    goal = figure.goal
    of_value = goal is not None and goal.of == "value"
    measured = figure.value if of_value or figure.ratio is None else figure.ratio
    shown = f"{number(measured.median)} {figure.unit}" if of_value else f"{number(measured.median)}×"
    return (figure.section, figure.name, figure.against, str(goal), shown, "met" if figure.is_met else "MISSED")


def table(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    """`rows` in columns, as Markdown that is also readable as it is."""
    lines = [head, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(head))]

    def line_of(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line_of(lines[0]), rule, *map(line_of, lines[1:])])


def heading(machine: Mapping[str, Any]) -> str:
    """When and with what, in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    about = machine["machine"]
    return f"{machine['date']}; {versions}; {about['cores']} cores of {about['cpu']}, {about['system']}"


def text(results: Results, machine: Mapping[str, Any]) -> str:
    """Everything, to be read."""
    parts = [heading(machine)]
    for section in dict.fromkeys(figure.section for figure in results.figures):
        rows = [_row(figure) for figure in results.figures if figure.section == section]
        parts.append(f"{section}\n\n{table(rows)}")
    for section, listed in results.tables.items():
        parts.append(f"{section}\n\n{table((tuple(row.values()) for row in listed), tuple(listed[0]))}")
    if goals := [figure for figure in results.figures if figure.is_met is not None]:
        parts.append(f"goals\n\n{table(map(_goal, goals), GOALS_HEAD)}")
    if results.skipped:
        parts.append("\n".join(f"SKIPPED {skip.section}: {skip.name}: {skip.why}" for skip in results.skipped))
    parts += results.notes
    return "\n\n".join(parts)


def as_json(results: Results, machine: Mapping[str, Any], mode: str, load: Iterable[float]) -> dict[str, Any]:
    """Everything, to be kept; `load`: the load average before and after."""
    figures = [
        asdict(figure) | {"goal": str(figure.goal) if figure.goal else None, "met": figure.is_met}
        for figure in results.figures
    ]
    return {
        **machine,
        "mode": mode,
        "load_average": list(load),
        "figures": [_rounded(figure) for figure in figures],
        "counted": results.tables,
        "skipped": [asdict(skip) for skip in results.skipped],
        "notes": results.notes,
    }


def _rounded(value: Any) -> Any:
    """`value` with numbers of five digits: more would be noise, and a change of every line."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the JSON where it is to be kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
