"""Installs and builds what a fresh clone lacks, and nothing a second time: `python3 -m tools.setup.bootstrap`.

It runs before anything is installed, so it uses the standard library only, in a syntax that an old Python can parse.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import json
import os
import platform
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.local.local_worker import (
    BUILD_DIR,
    BUNDLE_DIR,
    BUNDLE_NAME,
    ROOT,
    SNAPSHOT_NAME,
    WORKERD,
    WORKERD_WRAPPER,
    write_workerd_wrapper,
)
from tools.setup.prerequisites import check_node, check_python, has_npm, node_version
from tools.setup.steps import BootstrapError, Step, run_logged
from tools.setup.worker_packages import PYTHON_MODULES, WORKER_PLATFORM, vendor

BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The interpreter behind this one: in an activated environment `python3` is the environment's own."""

VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
DEV_VARS = ROOT / ".dev.vars"
LOGS = BUILD_DIR / "logs"

BUNDLE_SOURCES = (
    "local/local_worker.py",
    "pyodide/bundle.capnp",
    "pyodide/bundle.py",
    "pyodide/glue.py",
    "pyodide/snapshot.capnp",
    "setup/pins.py",
)
"""Files in tools/ that decide what the bundle and the snapshot are."""


def make_venv(log: Path) -> None:
    """Create the virtual environment with the locked packages, in place of an existing one."""
    log.unlink(missing_ok=True)
    run_logged(log, BASE_PYTHON, "-m", "venv", "--clear", VENV)
    run_logged(log, VENV_PYTHON, "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", "requirements-dev.txt")


def make_python_modules(log: Path) -> None:
    """Install the Worker's locked packages into the folder that wrangler uploads."""
    vendor(VENV_PYTHON if VENV_PYTHON.exists() else BASE_PYTHON, log)


def make_node_modules(log: Path) -> None:
    """Install the locked npm packages; `npm ci` first removes what is there."""
    log.unlink(missing_ok=True)
    run_logged(log, "npm", "ci")


def make_bundle(log: Path) -> None:
    """Build the Pyodide bundle, Python's snapshot and the wrapper that tells workerd about both."""
    log.unlink(missing_ok=True)
    run_logged(log, VENV_PYTHON, "-m", "tools.pyodide.bundle", BUNDLE_DIR)
    folders = (f"--pyodide-bundle-disk-cache-dir={BUNDLE_DIR}", f"--python-snapshot-dir={BUNDLE_DIR}")
    config = ROOT / "tools" / "pyodide" / "snapshot.capnp"
    run_logged(log, WORKERD, "test", "--experimental", *folders, "--python-save-baseline-snapshot", config)
    write_workerd_wrapper()


def steps() -> tuple[list[Step], list[Step], list[Step]]:
    """Return the steps for Python, those for npm, and those that need both; each list in its order."""
    tools = ROOT / "tools"
    lock = ROOT / "package-lock.json"
    # Not the whole of package.json: a new script reinstalls nothing.
    wanted = json.dumps(json.loads((ROOT / "package.json").read_text())["devDependencies"])
    machine = f"{platform.system()} {platform.machine()}"
    interpreter = f"{BASE_PYTHON} {platform.python_version()}"
    bundle_sources = [tools / name for name in BUNDLE_SOURCES]
    venv = Step(
        "virtual environment",
        [VENV_PYTHON],
        [ROOT / "requirements-dev.txt"],
        make_venv,
        *(interpreter, str(VENV)),
    )
    packages = Step(
        "worker packages",
        [PYTHON_MODULES / "pyvenv.cfg"],
        [ROOT / "requirements-worker.txt"],
        make_python_modules,
        *WORKER_PLATFORM,
    )
    npm = Step(
        "npm packages",
        [NODE_MODULES / ".bin" / "wrangler", NODE_MODULES / ".bin" / "node"],
        [lock, ROOT / ".npmrc"],
        make_node_modules,
        *(wanted, machine),
    )
    bundle = Step(
        "Pyodide bundle",
        [BUNDLE_DIR / BUNDLE_NAME, BUNDLE_DIR / SNAPSHOT_NAME, WORKERD_WRAPPER],
        [*bundle_sources, lock],
        make_bundle,
        # The wrapper holds absolute paths, so a clone that was moved is another one.
        *(wanted, machine, str(ROOT)),
    )
    return [venv, packages], [npm], [bundle]


def write_dev_vars(path: Path) -> None:
    """Write a random signing key for the local Worker unless the file exists."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"SIGNING_KEY={key}\n")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold a lock, so that two bootstraps of this folder run one after the other."""
    BUILD_DIR.mkdir(exist_ok=True)
    with (BUILD_DIR / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_all(these: list[Step]) -> None:
    """Run the steps one after the other."""
    for step in these:
        step.run(BUILD_DIR / "stamps", LOGS)


def steps_to_deploy() -> tuple[list[Step], list[Step], list[Step]]:
    """Return those of `steps` that an upload needs: the Worker's packages and wrangler, and no local runtime."""
    (_, packages), npm_steps, _ = steps()
    return [packages], npm_steps, []


def install_npm_packages() -> None:
    """Install the npm packages where there are none. Raises `BootstrapError` with a sentence."""
    if not (NODE_MODULES / ".bin" / "wrangler").exists():
        check_node(node_version(), has_npm())
        with alone():
            run_all(steps()[1])


def main() -> int:
    """Install what is missing and return the exit status; 1 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="make bootstrap", description="Installs and builds what a clone lacks.")
    parser.add_argument("--to-deploy", action="store_true", help="only what an upload needs")
    is_to_deploy = parser.parse_args().to_deploy
    try:
        check_python(tuple(sys.version_info[:3]))
        check_node(node_version(), has_npm())
        python_steps, npm_steps, steps_for_both = steps_to_deploy() if is_to_deploy else steps()
        with alone():
            # Both mostly wait for the network, so they run in parallel.
            with ThreadPoolExecutor() as pool:
                for done in [pool.submit(run_all, python_steps), pool.submit(run_all, npm_steps)]:
                    done.result()
            run_all(steps_for_both)
            if not is_to_deploy:
                write_dev_vars(DEV_VARS)
    except BootstrapError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
