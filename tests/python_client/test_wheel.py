"""The distribution: what is in the wheel, and that it works where only it and its dependencies are."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.docs import ROOT

PROJECT = ROOT / "clients" / "python"
UV = ROOT / ".venv" / "bin" / "uv"
DEPENDENCIES = (
    "httpx2",
    "httpcore2",
    "anyio",
    "idna",
    "truststore",
    "typing_extensions.py",
    "h11",
    "sniffio",
    "msgspec",
)
"""What pip would install, as the folders of the project's own environment."""
PROGRAM = """
import asyncio, waypost
host = waypost.Host()
@host.tool
def add(a: int, b: int = 0) -> int: ...
waypost.Waypost("https://waypost.test").close()
try:
    waypost.AsyncWaypost("https://waypost.test").guest("K7Q2M9XA", key="A" * 43)
except waypost.ConfigError as error:
    print(error)
print(waypost.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [str(UV), "build", "--wheel", "--offline", "--no-config", "-q", "-o", str(folder), str(PROJECT)]
    subprocess.run(command, check=True, timeout=120)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_package_its_types_and_its_licence(wheel: Path) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert wheel.name == f"waypost-{version}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    modules = {str(path.relative_to(PROJECT / "src")) for path in (PROJECT / "src").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "waypost/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    [entries] = [name for name in names if name.endswith("entry_points.txt")]
    assert "waypost = waypost.cli.entry:main" in zipfile.ZipFile(wheel).read(entries).decode()


def test_it_works_where_only_its_dependencies_are(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    installed = Path(sysconfig.get_paths()["purelib"])
    for name in DEPENDENCIES:
        # With their metadata, from which they read their versions.
        for path in (*installed.glob(name), *installed.glob(f"{name}-*.dist-info")):
            (tmp_path / "site" / path.name).symlink_to(path)
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n{PROGRAM}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    need, file = done.stdout.splitlines()
    assert need == "Encrypted sessions need one more package: pip install 'waypost[encryption]'"
    assert file.startswith(str(tmp_path))
