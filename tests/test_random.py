"""Jitter."""

from waypost_worker.random import jitter


class Always:
    def __init__(self, byte: bytes) -> None:
        self.byte = byte

    def random_bytes(self, count: int) -> bytes:
        return self.byte * count


def test_jitter_reaches_from_zero_to_just_below_one():
    assert jitter(Always(b"\0")) == 0
    assert jitter(Always(b"\x80")) > 0.5
    assert 0.999 < jitter(Always(b"\xff")) < 1
