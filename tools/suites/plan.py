"""What `make test` and `make verify` run: `python3 -m tools.suites.plan test` prints it in one line.

make prints this line before anything is installed, so: standard library only, and nothing that an old Python could not
at least parse.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """One package script with its further arguments; `name` is what its lines of output begin with.

    `contents` says in a few words what the suite checks. A suite that `only_warns` runs alone, after all others, its
    output is shown, and its exit status decides nothing.
    """

    name: str
    contents: str
    script: str
    arguments: tuple[str, ...] = ()
    only_warns: bool = False


@dataclass(frozen=True)
class Plan:
    """The suites of one command, the longest first, and how many minutes they take on two idle cores."""

    suites: tuple[Suite, ...]
    minutes: int


PLANS: dict[str, Plan] = {
    "test": Plan(
        (
            Suite("unit", "all unit tests of the Worker", "test:unit"),
            # Apart, since what they run is not measured: that would take twice as long.
            Suite("tools", "those of tools and clients", "test:tools"),
            Suite("worker", "the Worker in workerd", "test:worker", ("-m", "worker and not verify")),
            Suite("browser", "the main paths in Chromium", "test:browser", ("-m", "browser and not verify")),
            Suite("check", "lint and types", "check:python"),
            Suite("simulation", "a small simulation", "test:simulation", ("-m", "not verify")),
        ),
        minutes=5,
    ),
    "verify": Plan(
        (
            Suite(
                "worker", "MCP clients, schemathesis, restarts", "test:worker", ("-m", "worker and verify", "-n", "3")
            ),
            Suite("browser", "every other page in Chromium", "test:browser", ("-m", "browser and verify", "-n", "2")),
            Suite("simulation", "the larger simulation", "test:simulation", ("-m", "verify", "-n", "2")),
            Suite("guard", "the benchmark's guard", "bench:guard", only_warns=True),
        ),
        minutes=15,
    ),
}
"""`verify` holds what `test` leaves out; `make verify` runs both."""


def first_line(name: str) -> str:
    """Return what the command `name` is about to run, and about how long that takes."""
    plan = PLANS[name]
    contents = ", ".join(suite.contents for suite in plan.suites)
    return f"{name}: {contents}; about {plan.minutes} minutes on two cores, downloads not included"


def main() -> None:
    """Print the first line of `make test`, or of `make verify`, which runs `test` first."""
    if sys.argv[1] == "verify":
        minutes = PLANS["test"].minutes + PLANS["verify"].minutes
        print(f"make verify: `make test`, then the rest; about {minutes} minutes in all", flush=True)
    print(f"make {first_line('test')}", flush=True)


if __name__ == "__main__":
    main()
