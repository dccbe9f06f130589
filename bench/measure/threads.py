"""Callers side by side: they mostly wait for the server, so threads will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]], times: int = 1) -> list[T]:
    """The results of `calls`, which run concurrently, each so many times in sequence; the first error is raised."""

    def repeat(call: Callable[[], T]) -> list[T]:
        return [call() for _ in range(times)]

    with ThreadPoolExecutor(len(calls)) as threads:
        return [each for found in threads.map(repeat, calls) for each in found]


def in_threads(work: Callable[[], None], number: int) -> None:
    """Run `work` in so many threads, until all have ended."""
    at_once([work] * number)
