"""What holds for every test: `async def` tests run in virtual time, Hypothesis draws the same examples at every run."""

import inspect
import os
from pathlib import Path

import pytest
from hypothesis import settings

from simulation.virtual_time import run
from tools.suites.progress import PROGRESS_FILE, ProgressPlugin

SUITES = {"worker": ("worker", "tools"), "browser": ("browser",)}
"""The folders in which package.json looks for tests with a marker: collecting takes each process its time."""


def pytest_configure(config: pytest.Config) -> None:
    # Taken out of the environment: the processes of pytest-xdist, and a pytest that a test starts, report nothing.
    if path := os.environ.pop(PROGRESS_FILE, None):
        config.pluginmanager.register(ProgressPlugin(Path(path)))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on an event loop whose clock jumps to the next thing that is due."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    if pyfuncitem.get_closest_marker("worker") or pyfuncitem.get_closest_marker("browser"):
        raise pytest.UsageError(f"{pyfuncitem.nodeid} waits for real programs: virtual time would not wait for them")
    arguments = pyfuncitem.funcargs
    run(pyfuncitem.obj(**{name: arguments[name] for name in inspect.signature(pyfuncitem.obj).parameters}))
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        for marker, folders in SUITES.items():
            if item.get_closest_marker(marker) and folder not in folders:
                raise pytest.UsageError(f"{item.nodeid} has the marker {marker}, and would never be run")


settings.register_profile("waypost", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("waypost")
