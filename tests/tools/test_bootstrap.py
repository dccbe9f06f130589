"""A clone is made ready from locked packages, and a second bootstrap does nothing."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.setup.bootstrap import steps, write_dev_vars


def test_here_everything_is_made_and_a_second_bootstrap_does_nothing() -> None:
    for step in [step for group in steps() for step in group]:
        assert step.is_done(BUILD_DIR / "stamps"), step.name


def test_the_signing_key_is_32_random_bytes_that_only_the_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / ".dev.vars"

    write_dev_vars(path)

    name, key = path.read_text().strip().split("=")
    assert name == "SIGNING_KEY"
    assert len(base64.urlsafe_b64decode(key + "=")) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_signing_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".dev.vars"
    write_dev_vars(path)
    first = path.read_text()

    write_dev_vars(path)

    assert path.read_text() == first


def test_bootstrap_imports_nothing_that_has_to_be_installed() -> None:
    program = "import tools.setup.bootstrap"

    # -S: no site-packages at all.
    subprocess.run([sys.executable, "-S", "-B", "-c", program], cwd=ROOT, check=True)


def test_no_lock_file_names_a_host() -> None:
    for name in ("requirements-dev.txt", "requirements-worker.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
