"""`python -m bench.profile`: writes where the time goes, to be read and committed."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.measure.progress import Progress
from bench.profile import engine, floors, functions, pieces, under_wrangler
from bench.report import machine, report

STREAMS = 200
OUTPUT = Path(__file__).parent / "profile.txt"


def main() -> int:
    """Profile everything; about two minutes."""
    progress = Progress({"floors": 3, "under wrangler": 2, "pieces": 5, "functions": 1, "engine": 3})
    about = machine.described()
    parts = [f"Made by `make profile`, {report.heading(about)}"]
    progress.begin("floors")
    parts.append(f"WHOLE CALLS, microseconds of CPU of workerd\n\n{floors.text(floors.measure(progress))}")
    progress.begin("under wrangler")
    parts.append(f"UNDER WRANGLER, with Miniflare's KV, milliseconds of CPU a call\n\n{under_wrangler.text(progress)}")
    progress.begin("pieces")
    steps = pieces.text(pieces.measure(progress))
    parts.append(f"STEPS OF A CALL, microseconds of CPU inside workerd\n\n{steps}")
    progress.begin("functions")
    parts.append(f"FUNCTIONS OF THE DOMAIN, under CPython\n\n{functions.text()}")
    progress.begin("engine")
    samples = [engine.of_call("request"), engine.of_call("poll"), engine.of_streams(STREAMS)]
    parts += [f"WHAT WORKERD DOES\n\n{each}" for each in samples]
    progress.end()
    OUTPUT.write_text("\n\n\n".join(parts) + "\n")
    print(OUTPUT.read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
