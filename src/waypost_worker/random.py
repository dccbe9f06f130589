"""The randomness port."""

from typing import Protocol


class Random(Protocol):
    """A cryptographically secure source (the runtime's CSPRNG), or a seeded one in tests."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes, each of the 256 values equally likely."""
        ...


def jitter(random: Random) -> float:
    """A number in [0, 1), to spread retries, so that writers that collided once do not collide again."""
    return int.from_bytes(random.random_bytes(4), "big") / 2**32
