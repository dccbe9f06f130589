"""`make deploy`: uploads the Worker to Cloudflare, and sets a random signing key where it has none.

`REGION=` places this deployment elsewhere than wrangler.toml says. wrangler has no option for that, so it gets a
changed copy of the file, which is deleted afterwards; wrangler.toml itself is never changed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.local.local_worker import ROOT, search_path
from tools.placement import NOWHERE, PlacementError, placed, placement_of

CONFIG = ROOT / "wrangler.toml"
COPY = ROOT / ".wrangler.deploy.toml"
"""Beside wrangler.toml, since paths in it are relative to its folder."""
PLACEHOLDER = re.compile(r"0*")
"""The id of the KV namespace in wrangler.toml until it is replaced by a real one."""

Run = Callable[[Sequence[str], str | None], str]
"""Runs wrangler with arguments and standard input, and returns its output; raises `CalledProcessError`."""


def is_placeholder(config: str) -> bool:
    """Return whether the text of a wrangler.toml still lacks the id of its KV namespace."""
    return any(PLACEHOLDER.fullmatch(namespace["id"]) for namespace in tomllib.loads(config)["kv_namespaces"])


def deploy(config: str, run: Run, options: Sequence[str] = ()) -> str | None:
    """Deploy, with these options of wrangler; return None on success, otherwise the sentence that says what to do.

    The key is set after the upload, since a Worker that does not exist has no secrets. Until then it answers 503.
    Raises `CalledProcessError` where wrangler fails.
    """
    if is_placeholder(config):
        return (
            "wrangler.toml does not name your KV namespace yet: run `npx wrangler kv namespace create WAYPOST` "
            "and put the id it prints in place of the zeros."
        )
    run(["deploy", *options], None)
    names = {secret["name"] for secret in json.loads(run(["secret", "list", "--format", "json"], None))}
    if "SIGNING_KEY" not in names:
        run(["secret", "put", "SIGNING_KEY"], secrets.token_urlsafe(32))
    return None


def run_wrangler(arguments: Sequence[str], standard_input: str | None) -> str:
    """Run the installed wrangler with the pinned Node and Python; its output is shown, but for the list of secrets."""
    is_read = "list" in arguments
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "wrangler", *arguments],
        cwd=ROOT,
        env=os.environ | {"PATH": search_path()},
        input=standard_input,
        stdout=subprocess.PIPE if is_read else None,
        text=True,
        check=True,
    )
    return done.stdout or ""


def deploy_to(region: str, run: Run, config: Path = CONFIG, copy: Path = COPY) -> str | None:
    """`deploy`, placed in this region instead of the one in the wrangler.toml `config`; `copy` exists meanwhile.

    Raises `PlacementError` where that is no region.
    """
    text = config.read_text()
    copy.write_text(placed(text, region))
    try:
        problem = deploy(text, run, ["--config", str(copy)])
    finally:
        copy.unlink()
    if problem is None and placement_of(text) != (region if region not in NOWHERE else None):
        print(f"Placed: {region or 'none'}, by this deployment only. To keep it, change [placement] in wrangler.toml.")
    return problem


def main() -> int:
    """Deploy this folder and return the exit status; 1 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--region", help="of a cloud, such as aws:eu-central-1; none: where each request comes in")
    region: str | None = parser.parse_args().region
    try:
        problem = deploy(CONFIG.read_text(), run_wrangler) if region is None else deploy_to(region, run_wrangler)
    except PlacementError as error:
        problem = str(error)
    except subprocess.CalledProcessError as failure:
        problem = f"`wrangler {failure.cmd[1]}` failed; see above."
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
