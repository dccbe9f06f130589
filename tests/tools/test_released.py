"""The released version that the tests run beside this one: packed from its commit, and unpacked as it was."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
from pathlib import Path

import pytest

from tests.support.docs import page
from tools.local.harness.project import copy_released
from tools.released import ARCHIVE, COMMIT, ReleaseError, archived, resolved, unpack


def test_the_archive_is_a_whole_worker(tmp_path: Path) -> None:
    unpack(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"src", "wrangler.toml"}
    assert (tmp_path / "src" / "entry.py").read_text().startswith('"""The Worker')
    assert (tmp_path / "src" / "waypost_worker" / "app.py").exists()
    assert re.fullmatch(r"[0-9a-f]{40}\n", COMMIT.read_text())


def test_a_copy_of_it_can_be_started(tmp_path: Path) -> None:
    copy = copy_released(tmp_path / "copy")
    assert (copy / ".waypost" / "site" / "waypost.js").exists()
    assert (copy / "python_modules").is_dir()
    assert "[build]" not in (copy / "wrangler.toml").read_text()


def test_the_archive_is_that_of_the_commit() -> None:
    try:
        expected = archived(COMMIT.read_text().strip())
    except (ReleaseError, FileNotFoundError) as error:
        pytest.skip(f"the released commit is not in the history of this copy, so nothing can be compared: {error}")
    assert members(expected) == members(lzma.decompress(ARCHIVE.read_bytes()))


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        return {member.name: content.read() for member in files if (content := files.extractfile(member)) is not None}


def test_a_commit_that_is_not_there_is_refused_with_a_sentence() -> None:
    with pytest.raises(ReleaseError, match="There is no commit v0.0.0-none here"):
        resolved("v0.0.0-none")


def test_the_page_says_how_a_release_moves_it() -> None:
    assert "`npm run released -- " in page("CONTRIBUTING.md")
    for path in (COMMIT, ARCHIVE):
        assert path.name in page("CONTRIBUTING.md")
