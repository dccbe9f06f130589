"""Publishing the package: from a tagged commit, with a proof of where it was made. npm and git are stand-ins here."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from tools.npm_package.__main__ import main
from tools.npm_package.assemble import version

NPM = """#!/bin/sh
case "$1" in
pack) exec {npm} "$@" ;;
config) echo https://registry.example/ ;;
publish)
  echo "$@" > {folder}/published
  cp "$npm_config_userconfig" {folder}/npmrc 2> {folder}/none
  test ! -e {folder}/refuse || {{ echo "403 Forbidden" >&2; exit 1; }} ;;
esac
"""


class StandIns:
    """`git` says that these tags are at HEAD; `npm` writes down what it is to publish, or refuses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()

    def put(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(stat.S_IRWXU)

    def tags(self, *names: str) -> None:
        self.put("git", f"#!/bin/sh\necho {' '.join(names)}\n")

    def publish(self) -> int:
        return main(["--publish"], self.folder / "made" / "waypost", self.folder / "packed")

    @property
    def published(self) -> list[str]:
        path = self.folder / "published"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    programs = StandIns(tmp_path)
    programs.put("npm", NPM.format(npm=shutil.which("npm"), folder=tmp_path))
    monkeypatch.setenv("PATH", f"{programs.bin}{os.pathsep}{os.environ['PATH']}")
    for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "NODE_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return programs


def test_a_tagged_commit_is_published_with_its_proof(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.tags("other", f"v{version()}")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    monkeypatch.setenv("NODE_AUTH_TOKEN", "secret")

    assert stand_ins.publish() == 0

    command, archive, *options = stand_ins.published
    assert (command, options) == ("publish", ["--provenance", "--access", "public"])
    with tarfile.open(archive) as packed:
        manifest = packed.extractfile("package/package.json")
        assert manifest is not None
        assert json.load(manifest)["repository"]["url"] == "git+https://github.example/a/b.git"
    # The name of the variable, never the token.
    assert (stand_ins.folder / "npmrc").read_text() == "//registry.example/:_authToken=${NODE_AUTH_TOKEN}\n"


def test_without_a_token_npm_asks_github(stand_ins: StandIns) -> None:
    stand_ins.tags(f"v{version()}")
    assert stand_ins.publish() == 0
    assert not (stand_ins.folder / "npmrc").exists()


def test_nothing_is_published_of_another_commit(stand_ins: StandIns, capsys: pytest.CaptureFixture[str]) -> None:
    stand_ins.tags("v0.0.1")
    assert stand_ins.publish() == 1
    assert f"does not have the tag v{version()}" in capsys.readouterr().err
    assert stand_ins.published == []


def test_what_npm_says_is_passed_on(stand_ins: StandIns, capsys: pytest.CaptureFixture[str]) -> None:
    stand_ins.tags(f"v{version()}")
    (stand_ins.folder / "refuse").touch()
    assert stand_ins.publish() == 1
    assert "403 Forbidden" in capsys.readouterr().err
