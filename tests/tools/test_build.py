"""Whichever way an upload is started, it has the Worker's packages, or stops with a sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.local.local_worker import ROOT
from tools.setup.worker_packages import missing

CONTENT = ("requirements-worker.txt", "tools", "src/site", "src/waypost_worker/version.py")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone's files as far as the build reads them, with the npm packages, and nothing that make has made."""
    for name in CONTENT:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    (tmp_path / "node_modules").symlink_to((ROOT / "node_modules").resolve())
    return tmp_path


def built(clone: Path) -> subprocess.CompletedProcess[str]:
    """The build step of wrangler.toml."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "tools.build"], cwd=clone, capture_output=True, text=True, timeout=600
    )


NO_PIP = "raise SystemExit('/usr/bin/python3: No module named pip')"
NO_NETWORK = "raise SystemExit('ERROR: Could not find a version that satisfies the requirement msgspec==0.22.0')"
INSTALLS = """
import pathlib, re, sys
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
for name, version in re.findall(r"^([\\w-]+)==(\\S+)", pathlib.Path(sys.argv[-1]).read_text(), re.M):
    (target / f"{name.replace('-', '_')}-{version}.dist-info").mkdir(parents=True)
"""


def has_pip(clone: Path, program: str) -> None:
    """Make `python -m pip` this program: the folder that Python starts in comes first."""
    (clone / "pip.py").write_text(program)


def vendored(clone: Path, *without: str) -> None:
    """Put what is in python_modules here into the clone, but for these of its folders and files."""
    shutil.copytree(ROOT / "python_modules", clone / "python_modules", ignore=lambda _, __: set(without))


def test_where_all_is_there_the_build_installs_nothing(clone: Path) -> None:
    vendored(clone)
    done = built(clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert (clone / ".waypost" / "site" / "waypost.js").exists()


def test_on_a_fresh_clone_the_build_installs_the_locked_packages_once(clone: Path) -> None:
    has_pip(clone, INSTALLS)
    first, second = built(clone), built(clone)
    assert first.returncode == second.returncode == 0
    assert first.stderr.startswith("Installing msgspec==")
    assert second.stderr == ""
    assert (clone / "python_modules" / "pyvenv.cfg").exists()


@pytest.mark.parametrize(
    ("pip", "said"),
    [
        (NO_PIP, "this Python has no pip to install them: run `make bootstrap`"),
        (NO_NETWORK, "so nothing is uploaded. Is the network open to PyPI?"),
    ],
)
def test_where_the_packages_cannot_be_had_the_build_stops_with_a_sentence(clone: Path, pip: str, said: str) -> None:
    has_pip(clone, pip)
    done = built(clone)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / "python_modules").exists()
    assert not (clone / ".waypost" / "site").exists()


def test_packages_of_another_version_are_missing_ones_and_stay_where_the_new_ones_cannot_be_had(clone: Path) -> None:
    vendored(clone)
    has_pip(clone, NO_NETWORK)
    found = next((clone / "python_modules").glob("msgspec-*.dist-info"))
    found.rename(found.with_name("msgspec-0.1.0.dist-info"))
    done = built(clone)
    assert done.returncode == 1
    assert "Installing msgspec==" in done.stderr
    assert (clone / "python_modules" / "msgspec-0.1.0.dist-info").is_dir()


def test_without_the_npm_packages_the_build_says_how_to_get_them(clone: Path) -> None:
    vendored(clone)
    (clone / "node_modules").unlink()
    done = built(clone)
    assert (done.returncode, done.stderr) == (
        1,
        "The npm packages are not installed: run `npm ci`, and this command again.\n",
    )


def test_a_folder_that_wrangler_would_not_take_for_packages_is_a_missing_one(tmp_path: Path) -> None:
    requirements, folder = tmp_path / "requirements.txt", tmp_path / "python_modules"
    requirements.write_text("one-two==1.0 \\\n    --hash=sha256:0\n")
    assert missing(requirements, folder) == ["one-two==1.0"]
    (folder / "one_two-1.0.dist-info").mkdir(parents=True)
    assert missing(requirements, folder) == ["pyvenv.cfg"]
    (folder / "pyvenv.cfg").touch()
    assert missing(requirements, folder) == []


def test_the_build_imports_nothing_that_has_to_be_installed() -> None:
    subprocess.run([sys.executable, "-S", "-B", "-c", "import tools.build"], cwd=ROOT, check=True)
