"""Makes a release: `make release VERSION=0.2.0`.

It writes the version wherever it stands, dates the changelog, makes again what carries the version, commits, tags, and
writes the bill of materials. Then it packs the tagged Worker for the tests of two versions, in a commit of its own. It
pushes nothing. Where a step fails, the folder and the history are as they were.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.released import ARCHIVE, COMMIT, pack
from tools.sbom import text as sbom_text

Replace = tuple[str, re.Pattern[str]]

PLACES: tuple[Replace, ...] = (
    ("src/waypost_worker/version.py", re.compile(r'^VERSION = "(.+)"$', re.MULTILINE)),
    ("pyproject.toml", re.compile(r'^\[project\]\nname = ".+"\nversion = "(.+)"$', re.MULTILINE)),
    ("package.json", re.compile(r'\A\{\n  "name": ".+",\n  "version": "(.+)"')),
    ("package-lock.json", re.compile(r'\A\{\n  "name": ".+",\n  "version": "(.+)"')),
    ("package-lock.json", re.compile(r'"": \{\n      "name": ".+",\n      "version": "(.+)"')),
)
"""Where the version stands: in the group of the pattern. tests/whole/test_version.py compares them."""

CHANGELOG = "CHANGELOG.md"
UNRELEASED = "## [Unreleased]\n"
SBOMS = BUILD_DIR / "release"

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_NEXT_ENTRY = re.compile(r"^## ", re.MULTILINE)


class ReleaseProblem(Exception):
    """The release can't be made; the message is a sentence that says what to do."""


def git(*arguments: str) -> str:
    """Run git in this folder and return its output. Raises `ReleaseProblem` with its message."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise ReleaseProblem(f"`git {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def parsed(version: str) -> tuple[int, int, int]:
    """Return the numbers of a version. Raises `ReleaseProblem` where it is none."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ReleaseProblem(f"VERSION={version} is no version: name three numbers, as in make release VERSION=0.2.0.")
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch)


def dated(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what is unreleased under this version and day, below an empty "Unreleased".

    Raises `ReleaseProblem` where nothing is unreleased.
    """
    before, heading, rest = changelog.partition(UNRELEASED)
    if not heading:
        raise ReleaseProblem(f"{CHANGELOG} has no heading “{UNRELEASED.strip()}”.")
    following = _NEXT_ENTRY.search(rest)
    unreleased = rest[: following.start() if following else None]
    if not re.search(r"^- ", unreleased, re.MULTILINE):
        raise ReleaseProblem(f"{CHANGELOG} has nothing under “Unreleased”: say there what changes for users.")
    return f"{before}{heading}\n## [{version}] - {day.isoformat()}\n{rest}"


def bumped(root: Path, version: str) -> str:
    """Write the version into all `PLACES` below `root` and return the one before. Raises `ReleaseProblem`."""
    before = set()
    for name, pattern in PLACES:
        text = (root / name).read_text()
        found = pattern.search(text)
        if found is None:
            raise ReleaseProblem(f"{name} does not have its version where it is expected.")
        before.add(found[1])
        (root / name).write_text(text[: found.start(1)] + version + text[found.end(1) :])
    if len(before) != 1:
        raise ReleaseProblem(f"The files disagree about the present version: {', '.join(sorted(before))}.")
    return before.pop()


def check(version: str) -> None:
    """Raise `ReleaseProblem` unless a release of this version can be made here."""
    wanted = parsed(version)
    if changed := git("status", "--porcelain"):
        raise ReleaseProblem(f"Not everything is committed; a release is made of what is:\n{changed.rstrip()}")
    if git("tag", "--list", f"v{version}"):
        raise ReleaseProblem(f"The tag v{version} exists already: a released version does not change.")
    present = re.search(PLACES[0][1], (ROOT / PLACES[0][0]).read_text())
    if present is not None and wanted <= parsed(present[1]):
        raise ReleaseProblem(f"VERSION={version} does not come after {present[1]}.")


def make_openapi() -> None:
    """Make the OpenAPI document again, which says the version. Raises `ReleaseProblem`."""
    # In a process of its own, since this one has the version of before in its memory.
    done = subprocess.run([sys.executable, "-m", "tools.openapi"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise ReleaseProblem(f"The OpenAPI document could not be made: {done.stderr.strip()}")


def release(version: str, day: date, make: Callable[[], None] = make_openapi) -> Path:
    """Make the release and return the path of its bill of materials; `make` makes what carries the version.

    Raises `ReleaseProblem`, and the folder is then as it was.
    """
    check(version)
    changelog = ROOT / CHANGELOG
    start = git("rev-parse", "HEAD").strip()
    try:
        changelog.write_text(dated(changelog.read_text(), version, day))
        bumped(ROOT, version)
        make()
        bill = sbom_text()
        git("commit", "--all", "--quiet", "--message", f"Release {version}")
        digest = hashlib.sha256(bill.encode()).hexdigest()
        name = f"waypost-{version}.cdx.json"
        git("tag", "--annotate", "--message", f"Waypost {version}\n\n{name}: SHA-256 {digest}", f"v{version}")
        pack(f"v{version}")
        git("commit", "--quiet", "--message", f"Test beside {version}", "--", str(COMMIT), str(ARCHIVE))
    except BaseException:
        # The tree was clean, so this takes back what was written here and nothing else.
        git("reset", "--hard", "--quiet", start)
        if git("tag", "--list", f"v{version}"):
            git("tag", "--delete", f"v{version}")
        raise
    SBOMS.mkdir(parents=True, exist_ok=True)
    path = SBOMS / name
    path.write_text(bill)
    return path


def main() -> int:
    """Make the release that the command line names and return the exit status; 1 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("version", help="three numbers: 0.2.0")
    version: str = parser.parse_args().version
    try:
        bill = release(version, datetime.now(UTC).date())
    except ReleaseProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"Version {version} is committed and tagged as v{version}. Its bill of materials: {bill.relative_to(ROOT)}")
    print("Look at it with `git show HEAD^`, then: git push --follow-tags")
    return 0


if __name__ == "__main__":
    sys.exit(main())
