"""A step is done again when what it was made from changed, or when it never finished."""

from __future__ import annotations

from pathlib import Path

from tools.setup.stamps import Stamp, content_key


def test_a_key_depends_on_content_and_facts_alone(tmp_path: Path) -> None:
    one, same, other = tmp_path / "one", tmp_path / "same", tmp_path / "other"
    one.write_text("x")
    same.write_text("x")
    other.write_text("y")

    assert content_key([one], "linux") == content_key([same], "linux")
    assert content_key([one], "linux") != content_key([other], "linux")
    assert content_key([one], "linux") != content_key([one], "darwin")


def test_content_that_moves_between_files_changes_the_key(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("ab")
    second.write_text("c")
    before = content_key([first, second])
    first.write_text("a")
    second.write_text("bc")

    assert content_key([first, second]) != before


def test_a_stamp_matches_the_key_it_was_set_to_until_it_is_removed(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamps" / "step")

    assert not stamp.matches("key")
    stamp.set("key")
    assert stamp.matches("key")
    assert not stamp.matches("another")
    stamp.remove()
    assert not stamp.matches("key")
    assert list((tmp_path / "stamps").iterdir()) == []
