"""Scripts in lanes: all run, each output in one piece, and a failure is told by its name."""

import io
import re
import sys

from tools.lanes import run_lanes

SCRIPT = """
import sys
name = sys.argv[1]
print(name, "says")
print(name, "ends")
sys.exit(name.startswith("bad"))
"""
COMMAND = [sys.executable, "-c", SCRIPT]


def test_every_script_of_every_lane_runs_and_its_output_stays_together() -> None:
    output = io.StringIO()
    assert run_lanes([["a", "b"], ["c"]], COMMAND, output) == []
    for name in ("a", "b", "c"):
        assert re.search(rf"=== {name} passed after \d+ s\n{name} says\n{name} ends\n", output.getvalue())


def test_a_failure_is_told_and_the_rest_still_runs() -> None:
    output = io.StringIO()
    assert run_lanes([["bad-one", "fine"], ["bad-two"]], COMMAND, output) == ["bad-one", "bad-two"]
    assert "=== bad-one FAILED after" in output.getvalue()
    assert "=== fine passed after" in output.getvalue()


def test_the_scripts_of_a_lane_keep_their_order() -> None:
    output = io.StringIO()
    run_lanes([["a", "b", "c"]], COMMAND, output)
    assert re.findall(r"=== (\w)", output.getvalue()) == ["a", "b", "c"]
