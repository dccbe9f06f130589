"""Makes a fresh clone ready to run, and does nothing where it is: `python3 -m tools.bootstrap`.

Runs before anything is installed, so: standard library only, and nothing that an old Python could not at least parse.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.local_worker import (
    BUILD_DIR,
    BUNDLE_DIR,
    BUNDLE_NAME,
    ROOT,
    WORKERD_WRAPPER,
    write_workerd_wrapper,
)
from tools.stamps import Stamp, content_key

MIN_PYTHON = (3, 11)
MIN_NODE = 20

VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
PYTHON_MODULES = ROOT / "python_modules"
DEV_VARS = ROOT / ".dev.vars"
LOGS = BUILD_DIR / "logs"

WORKER_PLATFORM = ("--platform", "pyemscripten_2026_0_wasm32", "--python-version", "3.14", "--implementation", "cp")
"""What the Python in workerd is to pip."""


class BootstrapError(Exception):
    """Something the user has to put right; the message is the sentence to show."""


class Step:
    """One thing to make: `outputs` exist afterwards and were made from `inputs` and `facts`."""

    def __init__(
        self, name: str, outputs: list[Path], inputs: list[Path], make: Callable[[Path], None], *facts: str
    ) -> None:
        self.name = name
        self._outputs = outputs
        self._inputs = inputs
        self._make = make
        self._facts = facts

    def run(self, stamps: Path, logs: Path) -> bool:
        """Make it unless that has been done; tell whether anything was done.

        `make` gets the file its commands print to and must cope with what an interrupted run left behind.
        """
        stamp = Stamp(stamps / self.name.replace(" ", "-"))
        key = content_key(self._inputs, *self._facts)
        if stamp.matches(key) and all(output.exists() for output in self._outputs):
            return False
        stamp.remove()
        print(f"Preparing the {self.name} …", file=sys.stderr, flush=True)
        logs.mkdir(parents=True, exist_ok=True)
        self._make(logs / f"{self.name.replace(' ', '-')}.log")
        stamp.set(key)
        return True


def run_logged(log: Path, *command: str | Path) -> None:
    """Run `command` in the project folder with its output in `log`; raises `BootstrapError` with the end of it."""
    with log.open("ab") as output:
        status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BootstrapError(f"{tail}\n\n`{' '.join(map(str, command))}` failed; everything it printed is in {log}.")


def make_venv(log: Path) -> None:
    """Make the virtual environment anew, with the locked packages."""
    log.unlink(missing_ok=True)
    run_logged(log, sys.executable, "-m", "venv", "--clear", VENV)
    run_logged(log, VENV_PYTHON, "-m", "pip", "install", "--require-hashes", "-r", "requirements-dev.txt")


def make_python_modules(log: Path) -> None:
    """Fill the folder wrangler uploads as the Worker's packages."""
    log.unlink(missing_ok=True)
    shutil.rmtree(PYTHON_MODULES, ignore_errors=True)
    target = ("--target", PYTHON_MODULES, *WORKER_PLATFORM, "--only-binary=:all:", "--no-deps", "--no-compile")
    run_logged(log, VENV_PYTHON, "-m", "pip", "install", *target, "--require-hashes", "-r", "requirements-worker.txt")
    # Marks the folder as vendored packages, for wrangler and pywrangler alike.
    (PYTHON_MODULES / "pyvenv.cfg").touch()


def make_node_modules(log: Path) -> None:
    """Install the locked npm packages; `npm ci` starts from nothing by itself."""
    log.unlink(missing_ok=True)
    run_logged(log, "npm", "ci")


def make_bundle(log: Path) -> None:
    """Build the Pyodide bundle and the wrapper that tells workerd about it."""
    log.unlink(missing_ok=True)
    run_logged(log, VENV_PYTHON, "-m", "tools.pyodide_bundle", BUNDLE_DIR)
    write_workerd_wrapper()


def steps() -> tuple[list[Step], list[Step], list[Step]]:
    """Return the steps for Python, for npm, and those that need both; each list in order."""
    tools = ROOT / "tools"
    lock = ROOT / "package-lock.json"
    # Not the whole of package.json: a new script reinstalls nothing.
    wanted = json.dumps(json.loads((ROOT / "package.json").read_text())["devDependencies"])
    machine = f"{platform.system()} {platform.machine()}"
    interpreter = f"{sys.executable} {platform.python_version()}"
    bundle_sources = [tools / name for name in ("pyodide_bundle.py", "pyodide_bundle.capnp", "glue.py", "pins.py")]
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
        [BUNDLE_DIR / BUNDLE_NAME, WORKERD_WRAPPER],
        [*bundle_sources, tools / "local_worker.py", lock],
        make_bundle,
        # The wrapper holds absolute paths, so a clone that was moved is another one.
        *(wanted, str(ROOT)),
    )
    return [venv, packages], [npm], [bundle]


def write_dev_vars(path: Path) -> None:
    """Write a random signing key for the local Worker, once; an existing file is left as it is."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"SIGNING_KEY={key}\n")


def check_python(version: tuple[int, ...]) -> None:
    """Raise `BootstrapError` where `version` is too old."""
    if version < MIN_PYTHON:
        found = ".".join(map(str, version))
        wanted = ".".join(map(str, MIN_PYTHON))
        raise BootstrapError(
            f"Waypost needs Python {wanted} or newer and this is {found}; name another one with `make dev PYTHON=python3.13`."
        )


def check_node(version: str | None) -> None:
    """Raise `BootstrapError` where `version`, as `node --version` prints it, is too old or missing."""
    found = re.match(r"v(\d+)\.", version or "")
    if found is None or int(found[1]) < MIN_NODE:
        raise BootstrapError(
            f"Waypost needs Node {MIN_NODE} or newer with npm and found {version or 'none'}; install it and run make again."
        )


def node_version() -> str | None:
    """Return what `node --version` prints, or None where node or npm is missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other bootstrap of this folder is at work."""
    BUILD_DIR.mkdir(exist_ok=True)
    with (BUILD_DIR / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_all(these: list[Step]) -> None:
    """Run the steps one after the other."""
    for step in these:
        step.run(BUILD_DIR / "stamps", LOGS)


def main() -> int:
    """Make everything ready; a problem is told on standard error, with status 1."""
    try:
        check_python(tuple(sys.version_info[:3]))
        check_node(node_version())
        python_steps, npm_steps, steps_for_both = steps()
        with alone():
            # Both lanes mostly wait for the network, so they run side by side.
            with ThreadPoolExecutor() as lanes:
                for lane in [lanes.submit(run_all, python_steps), lanes.submit(run_all, npm_steps)]:
                    lane.result()
            run_all(steps_for_both)
            write_dev_vars(DEV_VARS)
    except BootstrapError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
