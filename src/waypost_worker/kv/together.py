"""Work on the store that is asked for together: it takes as long as its slowest part, not as long as all of it."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def together(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...


@overload
async def together(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]: ...


@overload
async def together(*work: Awaitable[A]) -> tuple[A, ...]: ...


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
