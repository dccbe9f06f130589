"""One version, written where each tool looks for it."""

import json
import tomllib
from pathlib import Path

from waypost_worker.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_version_is_that_of_the_python_project():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_version_is_that_of_the_node_project_and_its_lock():
    assert json.loads((ROOT / "package.json").read_text())["version"] == VERSION
    assert json.loads((ROOT / "package-lock.json").read_text())["version"] == VERSION


def test_the_version_has_its_place_in_the_changelog():
    assert f"\n## [{VERSION}] - " in (ROOT / "CHANGELOG.md").read_text()
