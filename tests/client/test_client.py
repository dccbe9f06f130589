"""The client's modules in Node, and its types. Each file there is one test here; its output shows when it fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = ROOT / "node_modules" / ".bin"


def run(*command: str | Path) -> None:
    """Run a program with the project's Node first on the path; fail with its output."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    program = shutil.which(str(command[0]), path=path)
    assert program, f"{command[0]} is missing: run `make bootstrap`"
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_the_modules_do_what_their_tests_say(path: Path) -> None:
    run("node", "--test", path)


def test_everything_served_is_typed_and_so_is_its_use() -> None:
    run("tsc", "-p", HERE / "tsconfig.json")


def test_the_published_types_are_those_of_the_code() -> None:
    run("node", HERE / "types.mjs")
