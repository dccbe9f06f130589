"""What comes from outside can neither begin an entry of the log nor reach the operator's terminal."""

import pytest

from waypost_worker.http.log_entry import log_entry, ray_of

RAY = "230b030023ae2822-SJC"


@pytest.mark.parametrize("header", [RAY, "230b030023ae2822"])
def test_what_cloudflare_calls_a_request_is_its_name(header: str):
    assert ray_of(header) == header


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        RAY + "\n",
        "\n" + RAY,
        RAY.upper(),
        RAY + "x",
        RAY * 2,
        "230b030023ae282",
        "\x1b[31m",
        "\u0661" * 16,
    ],
)
def test_anything_else_is_not(header: str | None):
    assert ray_of(header) is None


def test_an_entry_is_marked_with_its_request():
    assert log_entry("r1", "it failed: \u00e9") == "[r1] it failed: \u00e9"


def test_an_entry_of_several_lines_can_not_look_like_several_entries():
    assert log_entry("r1", "failed\nTraceback\n[r2] all is well") == "[r1] failed\n    Traceback\n    [r2] all is well"


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\x1b", r"\x1b"),
        ("\r", r"\r"),
        ("\0", r"\x00"),
        ("\x85", r"\x85"),
        ("\x9b", r"\x9b"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_can_not_be_seen_is_written_as_an_escape(character: str, written: str):
    assert log_entry("r1", f"a{character}b") == f"[r1] a{written}b"
