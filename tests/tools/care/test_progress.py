"""A long command says how far it is: in one line on a terminal, now and then in a log."""

from __future__ import annotations

import io

from tools.care.progress import LOG_SECONDS, TERMINAL_SECONDS, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_on_a_terminal_one_line_is_written_again_with_a_bar() -> None:
    out, clock = Terminal(), Clock()
    progress = Progress("imported", 2000, out, clock)
    progress.show(500)
    progress.show(501)
    clock.now += TERMINAL_SECONDS
    progress.show(2000)
    progress.end()
    first, second, last = out.getvalue().split("\r\x1b[K")[1:]
    assert first == f"imported [{'#' * 8:.<30}]  25%  500 of 2,000 keys"
    assert second == f"imported [{'#' * 30}] 100%  2,000 of 2,000 keys"
    assert last == ""


def test_a_log_gets_a_line_now_and_then_and_is_told_that_the_number_is_not_known() -> None:
    out, clock = io.StringIO(), Clock()
    progress = Progress("exported", None, out, clock)
    for seconds in (0, 1, LOG_SECONDS, 1, LOG_SECONDS):
        clock.now += seconds
        progress.show(1000)
    progress.end()
    line = "exported 1,000 keys (KV does not say how many there are)\n"
    assert out.getvalue() == line * 2


def test_a_sentence_stands_on_a_line_of_its_own() -> None:
    for out, text in ((Terminal(), "\r\x1b[Ka pause\n"), (io.StringIO(), "a pause\n")):
        Progress("exported", 0, out, Clock()).say("a pause")
        assert out.getvalue() == text


def test_an_empty_file_is_shown_as_done() -> None:
    out = Terminal()
    Progress("imported", 0, out, Clock()).show(0)
    assert "100%" in out.getvalue()
