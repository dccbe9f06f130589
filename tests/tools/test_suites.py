"""The suites of `make test`: all run, a failure shows immediately with its command, and Ctrl-C ends everything."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.conftest import MAIN_TESTS
from tests.support.waiting import eventually
from tests.worker.conftest import MAIN_FILES
from tools.local.interrupt import Interrupt
from tools.local.local_worker import ROOT
from tools.local.running import living
from tools.suites.__main__ import run_suites
from tools.suites.plan import PLANS, Plan, Suite, first_line
from tools.suites.report import Report, load_results, save_results
from tools.suites.run import SuiteRun, repeat_suite, script_command

SECONDS = 120.0


class NoInterrupt(Interrupt):
    def __init__(self) -> None:
        self.is_set = False


class Run:
    """A run of made-up suites, each of them a Python program, and what it showed."""

    def __init__(self, folder: Path, programs: dict[str, str], *, warns: tuple[str, ...] = ()) -> None:
        suites = tuple(Suite(name, f"what {name} checks", "test", only_warns=name in warns) for name in programs)
        self.output = io.StringIO()
        report = Report(Plan(suites, minutes=1), self.output)
        self.runs = run_suites(
            Plan(suites, minutes=1),
            report,
            folder,
            NoInterrupt(),
            lambda suite: [sys.executable, "-c", programs[suite.name]],
        )
        report.say_summary(self.runs, [])

    @property
    def text(self) -> str:
        return self.output.getvalue()

    def __getitem__(self, name: str) -> SuiteRun:
        return next(run for run in self.runs if run.suite.name == name)


def reports(*lines: dict[str, object], status: int = 0) -> str:
    """Return a suite's program that reports these lines of progress."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    write = f"import os, sys; open(os.environ['WAYPOST_PROGRESS_FILE'], 'a').write({text!r}); "
    return f"{write}print('the output'); sys.exit({status})"


def test_every_suite_has_a_line_and_the_last_line_is_the_total(tmp_path: Path) -> None:
    tests = reports({"total": 3}, *[{"outcome": "passed"}] * 2, {"outcome": "skipped", "reason": "no Chromium"})
    run = Run(tmp_path, {"lint": "pass", "browser": tests})

    lines = run.text.splitlines()
    assert lines[-4] == "skipped in browser: 1 × no Chromium"
    assert re.fullmatch(r"(lint|browser) +passed after +\d+ s: what \1 checks( \(2 passed, 1 skipped\))?", lines[-3])
    assert re.fullmatch(r"(lint|browser) +passed after +\d+ s: what \1 checks( \(2 passed, 1 skipped\))?", lines[-2])
    assert lines[-1] == "3 passed, 0 failed"


def test_a_test_that_fails_shows_why_and_how_it_is_repeated_and_the_rest_still_runs(tmp_path: Path) -> None:
    failure = {"outcome": "failed", "test": "tests/test_a.py::test_b[c d]", "reason": "assert 1 == 2"}
    run = Run(tmp_path, {"unit": reports({"total": 2}, failure, status=1), "lint": "pass", "types": "pass"})

    assert run.text.startswith(
        "FAILED tests/test_a.py::test_b[c d]: assert 1 == 2\n"
        "  repeat: .venv/bin/pytest 'tests/test_a.py::test_b[c d]'\n"
    )
    assert f"unit ended so (all of it is in {tmp_path / 'unit.log'}):\nthe output\n" in run.text
    assert run.text.endswith("2 passed, 1 failed\n")
    assert run["unit"].has_failed


def test_a_suite_that_fails_without_a_failed_test_is_one_failure(tmp_path: Path) -> None:
    run = Run(tmp_path, {"unit": reports({"total": 1}, {"outcome": "passed"}, status=2)})

    assert run.text.startswith("FAILED unit\n  repeat: npm run test\n")
    assert run.text.endswith("1 passed, 1 failed\n")


def test_a_suite_that_only_warns_runs_after_all_others_and_fails_nothing(tmp_path: Path) -> None:
    seen = f"pathlib.Path({str(tmp_path / 'seen')!r})"
    last = f"import pathlib; assert {seen}.exists(); print('slower'); raise SystemExit(1)"
    first = f"import pathlib, time; time.sleep(0.3); {seen}.touch()"
    run = Run(tmp_path, {"guard": last, "unit": first}, warns=("guard",))

    assert "guard:\nslower\n" in run.text
    assert not run["guard"].has_failed
    assert run.text.endswith("1 passed, 0 failed\n")


def test_what_a_killed_suite_leaves_in_its_temporary_folder_is_removed(tmp_path: Path) -> None:
    made = "import tempfile; print(tempfile.mkdtemp())"
    run = Run(tmp_path, {"unit": made})

    assert not Path(run["unit"].last_lines(1)).exists()


def test_the_results_of_an_earlier_run_are_counted_too(tmp_path: Path) -> None:
    run = Run(tmp_path, {"unit": reports({"total": 2}, *[{"outcome": "passed"}] * 2)})
    save_results(tmp_path / "results.json", run.runs)
    output = io.StringIO()
    Report(PLANS["verify"], output).say_summary(run.runs, load_results(tmp_path / "results.json"))

    assert output.getvalue().endswith("4 passed, 0 failed\n")


PROGRAM = """
import sys
from pathlib import Path
from tools.local.interrupt import Interrupt
from tools.suites.__main__ import run_suites
from tools.suites.plan import Plan, Suite
from tools.suites.report import Report

stubborn = '''
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(os.getpgid(0)))
time.sleep(600)
'''
folder = Path(sys.argv[1])
plan = Plan(tuple(Suite(name, name, "test") for name in ("a", "b", "c")), minutes=1)
interrupt = Interrupt()
print("started", flush=True)
command = lambda suite: [sys.executable, "-c", stubborn, str(folder / f"{suite.name}.group")]
run_suites(plan, Report(plan, sys.stdout), folder, interrupt, command)
sys.exit(130 if interrupt.is_set else 0)
"""


def test_ctrl_c_ends_everything_within_seconds_and_starts_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        groups = [tmp_path / "a.group", tmp_path / "b.group"]
        eventually(lambda: all(path.exists() and path.read_text() for path in groups))
        started = time.monotonic()
        # As a terminal does it, and once more, as npm does it.
        os.killpg(process.pid, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        took = time.monotonic() - started

    eventually(lambda: not any(living(int(path.read_text())) for path in groups))
    assert not (tmp_path / "c.group").exists()
    # Two seconds on a machine that does nothing else.
    assert took < 20


def test_a_terminal_shows_the_progress_in_one_line_that_is_replaced(tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    output = Terminal()
    plan = Plan((Suite("unit", "units", "test"), Suite("lint", "style", "test")), minutes=1)
    run = Run(tmp_path, {"unit": reports({"total": 2}, {"outcome": "passed"}, {"outcome": "passed"})})
    Report(plan, output).show_progress(run.runs)

    assert output.getvalue() == "\runit done, lint waits\x1b[K"


def test_pytest_reports_totals_outcomes_and_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(
        "import pytest\n"
        "def test_passes(): pass\n"
        "def test_fails(): assert 1 == 2\n"
        "def test_skips(): pytest.skip('no Chromium')\n"
        "@pytest.fixture\n"
        "def broken(): raise OSError('no disk')\n"
        "def test_has_no_fixture(broken): pass\n"
    )
    for options in ([], ["-n", "2"]):
        run = Run.__new__(Run)
        suite = Suite("unit", "units", "test")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
        command += ["-c", "/dev/null", "-o", f"pythonpath={ROOT / 'src'} {ROOT}", *options, str(folder)]
        run.output = io.StringIO()
        report = Report(Plan((suite,), minutes=1), run.output)
        (ended,) = run_suites(
            Plan((suite,), 1), report, tmp_path, NoInterrupt(), lambda suite, command=command: command
        )

        assert ended.progress.total == 4, ended.last_lines(50)
        assert ended.progress.counts == {"passed": 1, "failed": 2, "skipped": 1}
        assert ended.progress.skipped == {"no Chromium": 1}
        assert "::test_fails: assert 1 == 2\n" in run.text
        assert "::test_has_no_fixture: OSError: no disk\n" in run.text


def test_the_first_line_says_what_runs_and_about_how_long() -> None:
    suites = "all unit tests of the Worker, .*, the Worker in workerd, .*"
    assert re.fullmatch(rf"test: {suites}; about \d minutes on two cores.*", first_line("test"))


@pytest.mark.parametrize(
    "suite", [suite for plan in PLANS.values() for suite in plan.suites], ids=lambda suite: suite.name
)
def test_every_suite_is_a_package_script(suite: Suite) -> None:
    assert script_command(suite)[:2] == ["sh", "-c"]
    assert repeat_suite(suite).startswith(f"npm run {suite.script}")


def test_what_make_test_names_exists() -> None:
    worker = {path.name for path in (ROOT / "tests" / "worker").glob("test_*.py")}
    assert worker >= MAIN_FILES
    texts = "".join(path.read_text() for path in (ROOT / "tests" / "browser").glob("test_*.py"))
    assert set(re.findall(r"(?m)^def (test_\w+)\(", texts)) >= MAIN_TESTS
