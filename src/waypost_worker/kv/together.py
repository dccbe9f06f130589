"""Work on the store that is asked for together: it takes as long as its slowest part, not as long as all of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, overload

AT_ONCE = 6
"""https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections"""

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def together(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]:
    """Two of any types."""


@overload
async def together(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]:
    """Three of any types."""


@overload
async def together(*work: Awaitable[A]) -> tuple[A, ...]:
    """Any number of one type."""


async def together(*work: Awaitable[Any]) -> tuple[Any, ...]:
    """What each of `work` returns, in their order, once all of it has ended: nothing goes on when this raises.

    Raises:
        what the first of `work`, in their order, has raised.
    """
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return tuple(outcomes)


async def a_few_at_once(work: Sequence[Callable[[], Awaitable[A]]]) -> list[A]:
    """What each of `work` returns, in its order; six at a time, for any number. After a failure the rest is not begun.

    Raises:
        as `together`
    """
    done: list[A] = []
    for start in range(0, len(work), AT_ONCE):
        done += await together(*(begin() for begin in work[start : start + AT_ONCE]))
    return done
