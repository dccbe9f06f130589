"""`make release`: the version everywhere, a dated changelog, a commit and a tag; or nothing at all, and a sentence."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from tools.local.local_worker import ROOT
from tools.release import UNRELEASED, ReleaseProblem, bumped, dated, parsed
from waypost_worker.version import VERSION

NEEDED = (
    *("src", "tools", "tests/worker/released"),
    *("package.json", "package-lock.json", "pyproject.toml", "requirements-dev.txt", "requirements-worker.txt"),
    *("CHANGELOG.md", "LICENSE", "wrangler.toml", ".gitignore"),
)
MAJOR, MINOR, PATCH = parsed(VERSION)
NEXT = f"{MAJOR}.{MINOR + 1}.0"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Releaser", "-c", "user.email=releaser@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project with a history of its own, of one commit: it may be tested in a copy that has none."""
    folder = tmp_path_factory.mktemp("release") / "project"
    folder.mkdir()
    for name in NEEDED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    changelog = (folder / "CHANGELOG.md").read_text()
    (folder / "CHANGELOG.md").write_text(changelog.replace(UNRELEASED, f"{UNRELEASED}\n### Added\n\n- Something.\n", 1))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def clone(project: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project), str(folder))
    for name, value in (("user.name", "Releaser"), ("user.email", "releaser@example.com")):
        git(folder, "config", name, value)
    return folder


def release(folder: Path, version: str) -> tuple[int, str]:
    """The exit status of the command, and what it says."""
    command = [sys.executable, "-B", "-m", "tools.release", version]
    done = subprocess.run(
        command, cwd=folder, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "src"}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_a_release_is_a_commit_and_a_tag_with_the_version_everywhere(clone: Path) -> None:
    status, said = release(clone, NEXT)

    assert status == 0, said
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "log", "--format=%s") == f"Test beside {NEXT}\nRelease {NEXT}\nBegin"
    assert git(clone, "rev-parse", f"v{NEXT}^{{commit}}") == git(clone, "rev-parse", "HEAD^")
    assert tomllib.loads((clone / "pyproject.toml").read_text())["project"]["version"] == NEXT
    lock = json.loads((clone / "package-lock.json").read_text())
    assert json.loads((clone / "package.json").read_text())["version"] == NEXT
    assert lock["version"] == lock["packages"][""]["version"] == NEXT
    assert f'VERSION = "{NEXT}"' in (clone / "src/waypost_worker/version.py").read_text()
    assert json.loads((clone / "src/site/openapi.json").read_text())["info"]["version"] == NEXT
    assert (clone / "tests/worker/released/commit.txt").read_text().strip() == git(clone, "rev-parse", "HEAD^")
    files = set(git(clone, "diff", "--name-only", "HEAD~2", "HEAD^").splitlines())
    assert files == {
        *("CHANGELOG.md", "package-lock.json", "package.json", "pyproject.toml"),
        *("src/site/openapi.json", "src/waypost_worker/version.py"),
    }

    changelog = (clone / "CHANGELOG.md").read_text()
    assert re.search(
        rf"^{re.escape(UNRELEASED)}\n## \[{NEXT}\] - \d{{4}}-\d\d-\d\d\n\n### Added\n", changelog, re.MULTILINE
    )

    bill = clone / ".waypost" / "release" / f"waypost-{NEXT}.cdx.json"
    assert json.loads(bill.read_text())["metadata"]["component"]["version"] == NEXT
    assert hashlib.sha256(bill.read_bytes()).hexdigest() in git(clone, "tag", "--list", "--format=%(contents)")


def emptied(folder: Path) -> None:
    changelog = (folder / "CHANGELOG.md").read_text()
    before, heading, rest = changelog.partition(UNRELEASED)
    (folder / "CHANGELOG.md").write_text(f"{before}{heading}\n### Added\n\n{rest[rest.index('## [') :]}")
    git(folder, "commit", "--all", "--quiet", "--message", "Empty")


@pytest.mark.parametrize(
    ("version", "prepare", "sentence"),
    [
        (NEXT, lambda folder: (folder / "new.py").write_text(""), "Not everything is committed"),
        (NEXT, lambda folder: (folder / "LICENSE").write_text(""), "Not everything is committed"),
        (NEXT, lambda folder: git(folder, "tag", f"v{NEXT}"), f"The tag v{NEXT} exists already"),
        (NEXT, emptied, "has nothing under “Unreleased”"),
        (VERSION, lambda _: None, f"does not come after {VERSION}"),
        ("", lambda _: None, "is no version"),
        ("v1.0.0", lambda _: None, "is no version"),
    ],
)
def test_what_can_not_be_released_is_refused_and_nothing_changes(
    clone: Path, version: str, prepare, sentence: str
) -> None:
    prepare(clone)
    before = [
        git(clone, *command) for command in (("rev-parse", "HEAD"), ("status", "--porcelain"), ("tag",), ("diff",))
    ]

    status, said = release(clone, version)

    assert (status, sentence in said) == (1, True), said
    assert before == [
        git(clone, *command) for command in (("rev-parse", "HEAD"), ("status", "--porcelain"), ("tag",), ("diff",))
    ]


def test_a_release_that_fails_at_its_last_step_leaves_nothing(clone: Path) -> None:
    hook = clone / ".git" / "hooks" / "commit-msg"
    hook.write_text('#!/bin/sh\n! grep -q "^Test beside" "$1"\n')
    hook.chmod(0o755)

    status, said = release(clone, NEXT)

    assert (status, "git commit" in said) == (1, True), said
    assert [git(clone, *command) for command in (("log", "--format=%s"), ("status", "--porcelain"), ("tag",))] == [
        "Begin",
        "",
        "",
    ]
    assert not (clone / ".waypost" / "release").exists()


def test_only_what_is_unreleased_is_dated() -> None:
    changelog = f"# Changelog\n\n{UNRELEASED}\n- New.\n\n## [0.1.0] - 2026-01-01\n\n- Old.\n"

    assert dated(changelog, "0.2.0", date(2026, 12, 1)) == (
        f"# Changelog\n\n{UNRELEASED}\n## [0.2.0] - 2026-12-01\n\n- New.\n\n## [0.1.0] - 2026-01-01\n\n- Old.\n"
    )
    with pytest.raises(ReleaseProblem, match="no heading"):
        dated("# Changelog\n", "0.2.0", date(2026, 12, 1))


def test_files_that_disagree_are_refused(clone: Path) -> None:
    path = clone / "pyproject.toml"
    path.write_text(path.read_text().replace(f'version = "{VERSION}"', 'version = "9.9.9"', 1))

    with pytest.raises(ReleaseProblem, match=rf"disagree about the present version: {re.escape(VERSION)}, 9\.9\.9"):
        bumped(clone, NEXT)


def test_a_file_without_a_version_is_refused(clone: Path) -> None:
    (clone / "package.json").write_text("{}\n")

    with pytest.raises(ReleaseProblem, match=r"package\.json does not have its version"):
        bumped(clone, NEXT)
