"""A step is done once, again when its source changed, and again after it was interrupted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.setup.steps import UNREACHED_HINT, BootstrapError, Step, end_of, run_logged


class Workshop:
    """A step that writes one file, and how often it was made."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.source.write_text("1")
        self.output = folder / "output"
        self.made = 0
        self.fails = False
        self._folder = folder

    def run(self) -> bool:
        step = Step("the thing", [self.output], [self.source], self._make)
        return step.run(self._folder / "stamps", self._folder / "logs")

    def _make(self, log: Path) -> None:
        self.made += 1
        self.output.write_text("half")
        if self.fails:
            raise BootstrapError("interrupted")
        self.output.write_text("whole")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_step_runs_once(workshop: Workshop) -> None:
    assert workshop.run()
    assert not workshop.run()
    assert workshop.made == 1


def test_a_step_runs_again_when_its_source_changed(workshop: Workshop) -> None:
    workshop.run()
    workshop.source.write_text("2")

    assert workshop.run()


def test_a_step_runs_again_when_its_output_was_deleted(workshop: Workshop) -> None:
    workshop.run()
    workshop.output.unlink()

    assert workshop.run()
    assert workshop.output.read_text() == "whole"


@pytest.mark.parametrize("was_finished_before", [False, True])
def test_an_interrupted_step_is_repaired_by_the_next_run(workshop: Workshop, was_finished_before: bool) -> None:
    if was_finished_before:
        workshop.run()
        workshop.source.write_text("2")
    workshop.fails = True
    with pytest.raises(BootstrapError):
        workshop.run()
    workshop.fails = False
    # Even if the source went back to what an earlier, finished run was made from.
    workshop.source.write_text("1")

    assert workshop.run()
    assert workshop.output.read_text() == "whole"


def test_a_failed_command_shows_the_end_of_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match=r"no such thing\n\n.*failed; everything it printed is in .*x\.log"):
        run_logged(tmp_path / "x.log", sys.executable, "-c", "raise SystemExit('no such thing')")


NO_NETWORK = """\
Ignoring cffi: markers 'platform_python_implementation == "PyPy"' don't match your environment
ERROR: Could not find a version that satisfies the requirement annotated-doc==0.0.7 (from versions: none)
ERROR: No matching distribution found for annotated-doc==0.0.7
"""


@pytest.mark.parametrize(
    "output",
    [
        NO_NETWORK,
        "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\nERROR: no\n",
        "npm error code ENOTFOUND\nnpm error network request to https://registry.npmjs.org/ai failed\n",
    ],
)
def test_a_registry_that_cannot_be_reached_is_named_as_the_cause(output: str) -> None:
    assert end_of(output).endswith(f"\n\n{UNREACHED_HINT}")


def test_what_pip_says_of_packages_for_other_systems_is_left_out() -> None:
    assert end_of(NO_NETWORK).startswith("ERROR: Could not find a version")


def test_another_failure_is_not_taken_for_one_of_the_network() -> None:
    output = (
        "WARNING: Retrying after NewConnectionError\n" + "Collecting\n" * 30 + "ERROR: THESE PACKAGES DO NOT MATCH\n"
    )
    assert UNREACHED_HINT not in end_of(output)
