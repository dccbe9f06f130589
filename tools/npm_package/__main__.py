"""`npm run --silent package`: makes the npm package and packs it."""

from __future__ import annotations

import os
import sys

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.npm_package.assemble import PackageProblem, assemble, pack


def repository() -> str:
    """Return the URL of the repository that GitHub runs this for; empty elsewhere."""
    server, name = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if server and name else ""


def main() -> int:
    """Make and pack the package, and return the exit status; 1 after a sentence on standard error."""
    try:
        package = assemble(repository=repository())
        archive = pack(package, BUILD_DIR / "package")
    except PackageProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
