"""The last elements of a JSON array, found from its end: what stands before them is not looked at, whatever its size.

Backwards a JSON text is as clear as forwards: a quote within a string has an odd number of backslashes before it, and
the quote that opens one has none.
"""

from collections.abc import Iterator

WINDOW = 4096
"""Bytes in which the next mark is sought at a time."""

_MARKS = (b'"', b"[", b"]", b"{", b"}", b",")


def last_elements(array: bytes, max_marks: int, array_end: int | None = None) -> Iterator[memoryview]:
    """Yields the elements of `array`, the text of a valid JSON array, the last one first, none of them copied. Ends
    before the first one if it would have to look at more than `max_marks` brackets, commas and quotes.

    `array_end`: where the array ends, if `array` goes on behind it, or begins before it.
    """
    view = memoryview(array)
    end = position = array.rindex(b"]", 0, array_end)
    depth = 0
    left = max_marks
    while left > 0:
        left -= 1
        position = _mark_before(array, position)
        if position < 0:
            return
        mark = array[position : position + 1]
        if mark == b'"':
            position, skipped = _string_start(array, position, left)
            left -= skipped
        elif mark in b"]}":
            depth += 1
        elif depth and mark in b"[{":
            depth -= 1
        elif not depth:
            # A comma between two elements, or the bracket that opens the array.
            if not _is_blank(element := view[position + 1 : end]):
                yield element
            end = position
            if mark == b"[":
                return


def _is_blank(element: memoryview) -> bool:
    return not bytes(element[:WINDOW]).strip()


def _mark_before(text: bytes, end: int) -> int:
    """The position of the last mark before `end`; -1 if there is none."""
    while end > 0:
        start = max(end - WINDOW, 0)
        found = max(text.rfind(mark, start, end) for mark in _MARKS)
        if found >= 0:
            return found
        end = start
    return -1


def _string_start(text: bytes, closing: int, max_quotes: int) -> tuple[int, int]:
    """The position of the quote that opens the string which the quote at `closing` ends, and how many quotes there are
    in it; if there are more than `max_quotes`, the position of one of those."""
    position = text.rindex(b'"', 0, closing)
    quotes = 0
    while _backslashes_before(text, position) % 2 and quotes < max_quotes:
        position = text.rindex(b'"', 0, position)
        quotes += 1
    return position, quotes


def _backslashes_before(text: bytes, position: int) -> int:
    count, end = 0, position
    while end > 0:
        window = text[max(end - WINDOW, 0) : end]
        rest = len(window.rstrip(b"\\"))
        count += len(window) - rest
        end = 0 if rest else end - len(window)
    return count
