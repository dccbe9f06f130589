"""Hypothesis: the same examples at every run, and no time limit, since time here is virtual. And where suites are."""

from pathlib import Path

import pytest
from hypothesis import settings

SUITES = {"worker": ("worker", "tools"), "browser": ("browser",)}
"""Where the tests with a marker are looked for (package.json): finding them takes each process its time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        for marker, folders in SUITES.items():
            if item.get_closest_marker(marker) and folder not in folders:
                raise pytest.UsageError(f"{item.nodeid} has the marker {marker}, and would never be run")


settings.register_profile("waypost", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("waypost")
