"""Copies of the project for tests: the budgets that no test is to meet are raised, and nothing else is changed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tools import build
from tools.local.harness.project import RAISED, copy_project, drop_binding
from tools.local.local_worker import ROOT
from tools.site_files import SERVED


def config_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "wrangler.toml").read_text())


def limits_of(config: dict[str, Any]) -> dict[str, int]:
    return {table["name"]: table["simple"].pop("limit") for table in config["ratelimits"]}


def test_a_copy_has_every_budget_raised_but_that_of_guesses(tmp_path: Path) -> None:
    copied, real = config_of(copy_project(tmp_path / "copy")), config_of(ROOT)
    limits, real_limits = limits_of(copied), limits_of(real)
    assert limits == dict.fromkeys(real_limits, RAISED) | {"MISS_LIMIT": real_limits["MISS_LIMIT"]}
    del real["build"]
    assert copied == real


def test_a_copy_may_keep_the_real_ones(tmp_path: Path) -> None:
    copied, real = config_of(copy_project(tmp_path / "copy", has_real_limits=True)), config_of(ROOT)
    del real["build"]
    assert copied == real


def test_the_static_files_of_a_copy_are_made(tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "copy")
    assert (copy / config_of(copy)["assets"]["directory"] / "waypost.js").exists()


def test_what_is_built_is_where_the_config_looks_for_it() -> None:
    assert ROOT / config_of(ROOT)["assets"]["directory"] == SERVED
    assert config_of(ROOT)["build"]["command"] == f"python3 -m {build.__name__}"


def test_a_binding_can_be_left_out(tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "copy")
    drop_binding(copy, "ratelimits")
    assert "ratelimits" not in config_of(copy)
    assert "kv_namespaces" in config_of(copy)
