"""Publishes the npm package, from GitHub, of a commit that has the tag of its version."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tools.local.local_worker import ROOT
from tools.npm_package.assemble import PackageProblem, version

VARIABLE = "NODE_AUTH_TOKEN"
"""It holds npm's token. Without it npm asks GitHub, where the package has that repository as its publisher."""


def publish(archive: Path) -> None:
    """Publish the archive, with the proof of where it was made. Raises `PackageProblem`, also where this commit is no
    release."""
    tag = f"v{version()}"
    if tag not in said("git", "tag", "--points-at", "HEAD").split():
        raise PackageProblem(f"Only the commit of a release is published: this one does not have the tag {tag}.")
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "npmrc"
        if os.environ.get(VARIABLE):
            registry = said("npm", "config", "get", "registry").strip()
            # npm reads the token from the variable; the file has only its name.
            configuration.write_text(f"{registry.partition(':')[2]}:_authToken=${{{VARIABLE}}}\n")
        command = ("npm", "publish", str(archive), "--provenance", "--access", "public")
        said(*command, npm_config_userconfig=str(configuration))


def said(*command: str, **variables: str) -> str:
    """Run a program here and return what it prints. Raises `PackageProblem` with what it says is wrong."""
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode != 0:
        raise PackageProblem(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
