"""Bundles src/site into the static files that are served: a part of tools/build.py, which wrangler runs.

The sources are many small modules and style sheets that import each other. Served as they are, a page takes some ninety
requests, five round trips deep; bundled, it takes a dozen, two deep. Code that several entry points use is in chunks
that they share, so a module still runs once in a page.

Standard library only, since `wrangler deploy` runs it on machines where nothing but the npm packages is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT

SOURCE = ROOT / "src" / "site"
SERVED = BUILD_DIR / "site"

PAGES = ("waypost.js", "console/main.js", "console/console.css", "docs/main.js", "docs/docs.css")
"""What our pages name, and the client: bundles that share chunks."""

TAG = "webmcp.js"
"""For pages of others: one file that runs as a module and as an ordinary script."""

SHARING = "webmcp/shared-view.js"
"""What `TAG` loads when the person shares something: a module, in one file."""

NETWORK = "network.json"
"""Tells a page at localhost where the network finds it, for the QR code; of a deployment, nothing."""

ENTRY_POINTS = (*PAGES, TAG, SHARING)
"""The files that are asked for by name; everything that these import ends in bundles."""

VERBATIM = frozenset({"console/theme.js"})
"""Scripts that are not modules, served unchanged."""

BUNDLED = frozenset({".js", ".mjs", ".css"})

OPTIONS = (
    "--bundle",
    # Names stay: an error is known by the name of its class.
    "--minify-whitespace",
    "--minify-syntax",
    "--sourcemap",
    "--external:/vendor/*",
    "--log-level=warning",
)

# A chunk's name changes with its content: browsers may cache it for ever (_headers).
SPLIT = ("--splitting", "--format=esm", "--chunk-names=chunks/[name]-[hash]")

RUNS = (
    (*PAGES, *SPLIT, "--outdir={target}"),
    (TAG, "--format=iife", "--outfile={target}/webmcp.js"),
    (SHARING, "--format=esm", "--outfile={target}/webmcp/shared-view.js"),
)
"""The arguments of each run of the bundler."""


class SiteError(Exception):
    """Raised where the bundler fails; the message is its output."""


def make_site(source: Path, served: Path, network_url: str | None = None) -> None:
    """Make `served` the bundled form of `source`; files in it that stay the same are not touched.

    `network_url`: where other devices find a Worker of this machine that its pages know as localhost.

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
        (fresh / NETWORK).write_text(json.dumps({"url": network_url}))
        bring_over(fresh, served)


def bundle(source: Path, target: Path) -> None:
    """Write the bundles of `source` into `target`."""
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    for run in RUNS:
        command = [str(esbuild), *OPTIONS, *(word.replace("{target}", str(target)) for word in run)]
        done = subprocess.run(command, cwd=source, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SiteError(done.stderr.strip())


def is_verbatim(path: Path) -> bool:
    """Return whether this file of the source is served unchanged."""
    return path.suffix not in BUNDLED or path.as_posix() in VERBATIM


def bring_over(fresh: Path, served: Path) -> None:
    """Make the files of `served` those of `fresh`: write what differs, delete what is in `served` only."""
    wanted = files_of(fresh)
    for path in wanted:
        target = served / path
        if not target.exists() or target.read_bytes() != (fresh / path).read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).replace(target)
    for path in files_of(served) - wanted:
        (served / path).unlink()


def files_of(folder: Path) -> set[Path]:
    """Return the files below `folder`, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
