"""Makes the static files that are served from those in src/site: `python3 -m tools.site_files`; wrangler runs it.

Modules and style sheets are written to be read, in many small files that import each other. A browser that is given
them so asks for some ninety, five deep, each level a round trip; given bundles it asks for a dozen, two deep. What
several entry points use is in chunks that all of them share, so a module still runs once in a page.

Standard library only, since `wrangler deploy` runs it on machines where nothing but the npm packages is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT

SOURCE = ROOT / "src" / "site"
SERVED = BUILD_DIR / "site"

ENTRY_POINTS = ("waypost.js", "console/main.js", "console/console.css", "docs/main.js", "docs/docs.css")
"""What pages name; everything that these import ends in bundles."""

VERBATIM = frozenset({"console/theme.js"})
"""Scripts that are no modules."""

BUNDLED = frozenset({".js", ".mjs", ".css"})

OPTIONS = (
    "--bundle",
    "--splitting",
    "--format=esm",
    # Names stay as they are written: an error's is its class's.
    "--minify-whitespace",
    "--minify-syntax",
    "--sourcemap",
    # A chunk's name changes with what is in it: browsers may keep it for good (_headers).
    "--chunk-names=chunks/[name]-[hash]",
    "--external:/vendor/*",
    "--log-level=warning",
)


class SiteError(Exception):
    """The files can't be made; the message is what the bundler says of it."""


def make_site(source: Path, served: Path) -> None:
    """Make `served` what browsers are to get of `source`; what is in it already and stays the same is not touched.

    So a running `wrangler dev` finds the pages' files there at any time. Raises `SiteError`.
    """
    served.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=served.parent, prefix="site-") as folder:
        fresh = Path(folder)
        bundle(source, fresh)
        for path in files_of(source):
            if is_verbatim(path):
                (fresh / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / path, fresh / path)
        bring_over(fresh, served)


def bundle(source: Path, target: Path) -> None:
    """Write the bundles of `source` into `target`."""
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), *ENTRY_POINTS, *OPTIONS, f"--outdir={target}"]
    done = subprocess.run(command, cwd=source, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SiteError(done.stderr.strip())


def is_verbatim(path: Path) -> bool:
    """Tell whether the file of the source is served as it is."""
    return path.suffix not in BUNDLED or path.as_posix() in VERBATIM


def bring_over(fresh: Path, served: Path) -> None:
    """Give `served` the files of `fresh` and no others."""
    wanted = files_of(fresh)
    for path in wanted:
        target = served / path
        if not target.exists() or target.read_bytes() != (fresh / path).read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).replace(target)
    for path in files_of(served) - wanted:
        (served / path).unlink()


def files_of(folder: Path) -> set[Path]:
    """The files below `folder`, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    """Make the folder that wrangler.toml names; a problem is told on standard error, with status 1."""
    try:
        make_site(SOURCE, SERVED)
    except SiteError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
