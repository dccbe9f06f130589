"""Packages of the references: locked with hashes beside them, installed once into .waypost/, not among the Worker's."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.subjects.workerd import REFERENCE
from tools.local.local_worker import BUILD_DIR
from tools.setup.bootstrap import VENV_PYTHON
from tools.setup.steps import BootstrapError, Step, run_logged
from tools.setup.worker_packages import WORKER_PLATFORM

__all__ = ["BootstrapError", "for_this_machine", "for_workers"]

FOLDER = BUILD_DIR / "bench"


def for_workers(reference: str) -> Path:
    """The folder with the packages of `reference`, for the Python in workerd.

    Raises:
        BootstrapError: they can't be had.
    """
    return _installed(reference, *WORKER_PLATFORM, "--only-binary=:all:")


def for_this_machine(reference: str) -> Path:
    """The folder with the packages of `reference`, for this Python.

    Raises:
        BootstrapError: they can't be had.
    """
    return _installed(reference)


def _installed(reference: str, *options: str) -> Path:
    target, wanted = FOLDER / reference, REFERENCE / reference / "requirements.txt"

    def install(log: Path) -> None:
        log.unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        line = ("-m", "pip", "install", "--no-deps", "--no-compile", "--require-hashes", "--target", target)
        run_logged(log, VENV_PYTHON, *line, *options, "-r", wanted)

    step = Step(f"packages of {reference}", [target], [wanted], install, *options)
    step.run(BUILD_DIR / "stamps", BUILD_DIR / "logs")
    return target
