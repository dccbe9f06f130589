"""Versions that do not belong together are refused, naming both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.local.local_worker import ROOT, WORKERD
from tools.setup.pins import PINNED_TOGETHER, VersionError, check_installed, check_wanted_pyodide, read_pins

PINS = {"wrangler": "4.1.0", "workerd": "1.2.3", "pyodide": "314.0.6"}


def write_project(root: Path, installed: dict[str, str], workerd_of_wrangler: str = "1.2.3") -> None:
    (root / "package.json").write_text(json.dumps({"devDependencies": PINS}))
    for package, version in installed.items():
        folder = root / "node_modules" / package
        folder.mkdir(parents=True)
        content = {"version": version, "dependencies": {"workerd": workerd_of_wrangler}}
        (folder / "package.json").write_text(json.dumps(content))


def test_the_versions_of_package_json_are_the_pins(tmp_path: Path) -> None:
    write_project(tmp_path, PINS)

    assert read_pins(tmp_path) == PINS
    check_installed(tmp_path, PINS)


@pytest.mark.parametrize("version", ["^4.1.0", "latest", "4.x", ""])
def test_a_range_is_no_pin(tmp_path: Path, version: str) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": PINS | {"wrangler": version}}))

    with pytest.raises(VersionError, match="must pin wrangler to one exact version"):
        read_pins(tmp_path)


@pytest.mark.parametrize("package", PINNED_TOGETHER)
def test_another_version_installed_is_refused(tmp_path: Path, package: str) -> None:
    write_project(tmp_path, PINS | {package: "0.0.1"})

    with pytest.raises(VersionError) as refusal:
        check_installed(tmp_path, PINS)

    assert str(refusal.value) == f"{package}: expected version {PINS[package]}, found 0.0.1"


def test_a_wrangler_made_for_another_workerd_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, PINS, workerd_of_wrangler="1.9.9")

    with pytest.raises(VersionError, match=r"the workerd of wrangler 4\.1\.0: expected version 1\.2\.3, found 1\.9\.9"):
        check_installed(tmp_path, PINS)


def test_a_workerd_that_asks_for_another_pyodide_is_refused() -> None:
    program = b"...\0pythonWorkersDevPyodide\x00315.0.0\x00sha256-abc"

    with pytest.raises(VersionError, match=r"asks for: expected version 314\.0\.6, found 315\.0\.0"):
        check_wanted_pyodide(program, PINS)


def test_a_workerd_that_does_not_say_what_it_asks_for_is_refused() -> None:
    with pytest.raises(VersionError, match=r"to ask for Pyodide 314\.0\.6, found no mention"):
        check_wanted_pyodide(b"nothing", PINS)


def test_what_is_installed_here_belongs_together() -> None:
    pins = read_pins(ROOT)

    check_installed(ROOT, pins)
    check_wanted_pyodide(WORKERD.read_bytes(), pins)
