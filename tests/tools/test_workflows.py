"""The workflows for GitHub are what GitHub accepts, can do no more than they need, and run commands that exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tools.local.local_worker import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
BIN = ROOT / ".venv" / "bin"


def refused(schema: str, *files: Path) -> str:
    """What is wrong with these files by a schema that the checker brings along; empty if nothing is."""
    command = [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_there_are_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["advisories.yml", "deploy.yml", "package.yml", "test.yml"]


def test_the_workflows_are_of_the_form_that_github_takes() -> None:
    assert refused("github-workflows", *WORKFLOWS) == ""
    assert refused("github-actions", *ACTIONS) == ""
    assert refused("dependabot", GITHUB / "dependabot.yml") == ""


@pytest.mark.parametrize(
    ("right", "wrong"), [("runs-on:", "runs_on:"), ("timeout-minutes: 20", "timeout-minutes: soon"), ("run:", "runs:")]
)
def test_a_misspelt_key_would_be_refused(tmp_path: Path, right: str, wrong: str) -> None:
    text = (GITHUB / "workflows" / "deploy.yml").read_text()
    assert right in text
    changed = tmp_path / "deploy.yml"
    changed.write_text(text.replace(right, wrong))

    assert refused("github-workflows", changed) != ""


def test_an_auditor_finds_no_right_too_many_and_no_way_in() -> None:
    command = [BIN / "zizmor", "--offline", "--no-progress", "--quiet", "--pedantic", GITHUB]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_an_action_is_pinned_by_commit_and_says_its_version() -> None:
    used: dict[str, str] = {}
    for path in [*WORKFLOWS, *ACTIONS]:
        for name in re.findall(r"^ *(?:- )?uses: (.+)$", path.read_text(), re.MULTILINE):
            if name.startswith("./"):
                target = ROOT / name
                assert target.is_file() or (target / "action.yml").is_file(), f"{path.name}: {name}"
                continue
            pinned = re.fullmatch(r"([\w-]+/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", name)
            assert pinned is not None, f"{path.name}: {name}"
            assert used.setdefault(pinned[1], pinned[2]) == pinned[2], f"{path.name} has another {pinned[1]}"


def test_every_job_has_an_end() -> None:
    for path in WORKFLOWS:
        jobs = path.read_text().split("\njobs:\n")[1]
        for job in re.split(r"^(?=  \w)", jobs, flags=re.MULTILINE)[1:]:
            assert "timeout-minutes:" in job or "uses: ./.github/workflows/" in job, job


def test_every_command_exists() -> None:
    targets = set(re.findall(r"^([\w-]+)(?: [\w-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE))
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    for path in WORKFLOWS:
        for command in re.findall(r"^ *(?:- )?run: (.+)$", path.read_text(), re.MULTILINE):
            match command.split():
                case ["make", target, *_]:
                    assert target in targets, f"{path.name}: {command}"
                case ["npm", "run", "--silent", script, "--", *_]:
                    assert script in scripts, f"{path.name}: {command}"
                case _:
                    raise AssertionError(f"{path.name}: {command}")


def test_nothing_that_somebody_typed_is_a_part_of_a_command() -> None:
    # Not of make's either, which expands what its variables hold.
    for path in WORKFLOWS:
        for command in re.findall(r"^ *(?:- )?run: (.+)$", path.read_text(), re.MULTILINE):
            assert "${{" not in command, f"{path.name}: {command}"
            assert not (command.startswith("make") and "$" in command), f"{path.name}: {command}"
