"""Scripts in lanes: all run, each output in one piece, and a failure is told by its name."""

import io
import re
import sys
from pathlib import Path

from tools.local.lanes import run_lanes

SCRIPT = """
import sys
name = sys.argv[1]
print(name, "says")
print(name, "ends")
sys.exit(name.startswith("bad"))
"""
COMMAND = [sys.executable, "-c", SCRIPT]


def test_every_script_runs_and_its_output_stays_together() -> None:
    output = io.StringIO()
    assert run_lanes(2, ["a", "b", "c"], COMMAND, output) == []
    for name in ("a", "b", "c"):
        assert re.search(rf"=== {name} passed after \d+ s\n{name} says\n{name} ends\n", output.getvalue())


def test_a_failure_is_told_and_the_rest_still_runs() -> None:
    output = io.StringIO()
    assert run_lanes(2, ["bad-one", "fine", "bad-two"], COMMAND, output) == ["bad-one", "bad-two"]
    assert "=== bad-one FAILED after" in output.getvalue()
    assert "=== fine passed after" in output.getvalue()


def test_how_a_failure_ended_is_told_again_at_the_end_of_it_all() -> None:
    script = "import sys\nfor line in range(100): print(sys.argv[1], line)\nsys.exit(sys.argv[1] == 'bad')"
    output = io.StringIO()
    run_lanes(1, ["bad", "fine"], [sys.executable, "-c", script], output)
    last = "".join(f"bad {line}\n" for line in range(75, 100))
    assert output.getvalue().endswith(f"fine 99\n\n=== bad FAILED, and ended so:\n{last}")


def test_the_scripts_of_one_lane_keep_their_order() -> None:
    output = io.StringIO()
    run_lanes(1, ["a", "b", "c"], COMMAND, output)
    assert re.findall(r"=== (\w)", output.getvalue()) == ["a", "b", "c"]


def test_a_lane_that_is_free_takes_what_the_other_one_has_no_time_for(tmp_path: Path) -> None:
    # The first one ends when the last one has run: in two lanes of a fixed share that would be never.
    wait = "import pathlib, sys, time\nplace = pathlib.Path(sys.argv[1])\n"
    wait += "if sys.argv[2] == 'first':\n    while not (place / 'last').exists(): time.sleep(0.01)\n"
    wait += "(place / sys.argv[2]).touch()"
    command = [sys.executable, "-c", wait, str(tmp_path)]
    assert run_lanes(2, ["first", "second", "third", "last"], command, io.StringIO()) == []
