"""Packs a released Worker, so that the tests can run it beside this one: `npm run released -- v0.2.0`.

A deployment runs two versions on one store for a while (docs/deploy.md). The tests need the older one also where there
is no history: in a shallow clone, in a tarball. So its files are committed, compressed, with the commit they are from.
"""

from __future__ import annotations

import io
import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

from tools.local.local_worker import ROOT

FOLDER = ROOT / "tests" / "worker" / "released"
COMMIT = FOLDER / "commit.txt"
"""The commit of the version that is deployed."""
ARCHIVE = FOLDER / "worker.tar.xz"
"""What the Worker consists of there, without the pages."""

PACKED = ("src/entry.py", "src/waypost_worker", "wrangler.toml")


class ReleaseError(Exception):
    """There is no such commit here; the message is git's."""


def archived(commit: str) -> bytes:
    """Return the tar archive of `PACKED` at a commit, the same bytes each time. Raises `ReleaseError`."""
    done = subprocess.run(["git", "archive", "--format=tar", commit, *PACKED], cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        raise ReleaseError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def resolved(ref: str) -> str:
    """Return the whole id of the commit that `ref` names. Raises `ReleaseError`."""
    done = subprocess.run(
        ["git", "rev-parse", "--verify", f"{ref}^{{commit}}"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ReleaseError(f"There is no commit {ref} here: {done.stderr.strip()}")
    return done.stdout.strip()


def pack(ref: str) -> str:
    """Make `ref` the released version and return its commit. Raises `ReleaseError`."""
    commit = resolved(ref)
    ARCHIVE.write_bytes(lzma.compress(archived(commit), preset=9 | lzma.PRESET_EXTREME))
    COMMIT.write_text(f"{commit}\n")
    return commit


def unpack(folder: Path) -> None:
    """Write the released version's files into `folder`."""
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(ARCHIVE.read_bytes()))) as archive:
        archive.extractall(folder, filter="data")


def main() -> int:
    """Pack the commit that the command line names and return the exit status; 1 after a sentence on standard error."""
    if len(sys.argv) != 2:
        print("Name the commit or tag that is released: npm run released -- v0.2.0", file=sys.stderr)
        return 1
    try:
        print(f"The tests run {pack(sys.argv[1])} beside this version from now on.")
    except ReleaseError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
