"""The Worker's packages in python_modules, the folder that wrangler uploads besides src.

Standard library only, since a build on a fresh clone runs this before anything is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.setup.steps import BootstrapError

REQUIREMENTS = ROOT / "requirements-worker.txt"
PYTHON_MODULES = ROOT / "python_modules"

WORKER_PLATFORM = ("--platform", "pyemscripten_2026_0_wasm32", "--python-version", "3.14", "--implementation", "cp")
"""pip's options that name the Python in workerd."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def missing(requirements: Path = REQUIREMENTS, folder: Path = PYTHON_MODULES) -> list[str]:
    """Return those of the locked packages that `folder` lacks, or has in another version, as `name==version`."""
    lacking = [
        f"{name}=={version}"
        for name, version in _PINNED.findall(requirements.read_text())
        if not (folder / f"{name.replace('-', '_')}-{version}.dist-info").is_dir()
    ]
    # Marks the folder as vendored packages: wrangler and pywrangler upload none without it.
    return lacking if lacking or (folder / "pyvenv.cfg").exists() else ["pyvenv.cfg"]


def vendor(python: str | Path, log: Path) -> None:
    """Install the locked packages into `PYTHON_MODULES`, in place of what is there, with the pip of `python`.

    Raises `BootstrapError` where pip fails; what was there stays then.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD_DIR, prefix="packages-") as temporary:
        fresh = Path(temporary) / "python_modules"
        command = [python, "-m", "pip", "install", "--target", fresh, *WORKER_PLATFORM, "--only-binary=:all:"]
        options = ["--no-deps", "--no-compile", "--require-hashes", "-r", REQUIREMENTS]
        done = subprocess.run(
            [*map(str, command), *map(str, options)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        log.write_text(done.stdout)
        if done.returncode != 0:
            raise BootstrapError(_sentence(done.stdout, log))
        (fresh / "pyvenv.cfg").touch()
        if PYTHON_MODULES.is_symlink():
            PYTHON_MODULES.unlink()
        shutil.rmtree(PYTHON_MODULES, ignore_errors=True)
        fresh.replace(PYTHON_MODULES)


def _sentence(output: str, log: Path) -> str:
    if "No module named pip" in output:
        return (
            "The Worker's packages are not installed, and this Python has no pip to install them: run `make "
            "bootstrap`, or install pip (on Debian: apt install python3-pip)."
        )
    return (
        "The Worker's packages could not be installed, so nothing is uploaded. Is the network open to PyPI? "
        f"{log} ends with:\n" + "\n".join(output.splitlines()[-8:])
    )
