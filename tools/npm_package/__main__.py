"""`npm run --silent package`: makes the npm package and packs it. `-- --publish` publishes it, from GitHub."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.npm_package.assemble import PACKAGE, PackageProblem, assemble, pack
from tools.npm_package.publish import publish


def repository() -> str:
    """Return the URL of the repository that GitHub runs this for; empty elsewhere."""
    server, name = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if server and name else ""


def main(words: Sequence[str], package: Path = PACKAGE, folder: Path = BUILD_DIR / "package") -> int:
    """Make and pack the package, and return the exit status; 1 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="npm run package --", description=__doc__)
    parser.add_argument("--publish", action="store_true", help="publish it to the npm registry")
    try:
        wanted = parser.parse_args(words)
        archive = pack(assemble(package, repository()), folder)
        if wanted.publish:
            publish(archive)
    except PackageProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    done = "published" if wanted.publish else f"{archive.stat().st_size / 1000:.0f} kB"
    print(f"{os.path.relpath(archive, ROOT)}: {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
