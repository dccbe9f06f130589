"""What was measured, in a form that is written down and compared: figures, and what was skipped and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bench.measure.stats import Spread

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Goal:
    """A bound on the ratio of a figure, or on its value."""

    of: Literal["ratio", "value"]
    bound: float
    better: Better

    def __str__(self) -> str:
        return f"{'≥' if self.better == 'higher' else '≤'} {self.bound:g}{'×' if self.of == 'ratio' else ''}"


@dataclass(frozen=True)
class Figure:
    """One figure: its `value`, and where there is a reference (`against`) the ratio to it.

    `cpu_ratio` is the CPU time that the subject takes for the same work, of the reference's: which a machine
    that is busy with something else disturbs less than times.
    """

    section: str
    name: str
    unit: str
    value: Spread
    better: Better
    against: str = ""
    reference: Spread | None = None
    ratio: Spread | None = None
    cpu_ratio: Spread | None = None
    goal: Goal | None = None

    @property
    def key(self) -> str:
        """What it is called when two runs are compared."""
        return " | ".join((self.section, self.name, self.against))

    @property
    def is_met(self) -> bool | None:
        """Whether its goal is; None without a goal."""
        if self.goal is None:
            return None
        measured = self.value if self.goal.of == "value" else self.ratio
        if measured is None:
            return None
        is_higher = measured.median >= self.goal.bound
        return is_higher if self.goal.better == "higher" else measured.median <= self.goal.bound


@dataclass(frozen=True)
class Skip:
    """What was not measured, and why."""

    section: str
    name: str
    why: str


@dataclass
class Results:
    """Everything one run came to."""

    figures: list[Figure] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """What is counted, not measured: rows by section."""
    notes: list[str] = field(default_factory=list)
