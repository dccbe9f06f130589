"""What is asked for together takes as long as its slowest part."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from simulation.virtual_time import run
from waypost_worker.kv.together import a_few_at_once, together


async def _after(seconds: float, outcome: str | Exception, ended: list[str] | None = None) -> str:
    await asyncio.sleep(seconds)
    if ended is not None:
        ended.append(str(outcome))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def test_all_of_it_is_awaited_concurrently_and_returned_in_order() -> None:
    async def story() -> tuple[tuple[str, ...], float]:
        began = asyncio.get_running_loop().time()
        got = await together(_after(3, "a"), _after(1, "b"), _after(2, "c"))
        return got, asyncio.get_running_loop().time() - began

    got, seconds = run(story())
    assert got == ("a", "b", "c")
    assert seconds == pytest.approx(3, abs=0.01)


async def test_a_failure_is_raised_once_all_has_ended() -> None:
    ended: list[str] = []
    with pytest.raises(ValueError, match="first"):
        await together(
            _after(2, ValueError("first"), ended), _after(1, KeyError("second"), ended), _after(3, "c", ended)
        )
    assert len(ended) == 3


async def test_of_much_work_six_parts_go_on_at_a_time_and_none_is_begun_after_a_failure() -> None:
    begun: list[int] = []

    def part(number: int) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            begun.append(number)
            await asyncio.sleep(1)
            if number == 20:
                raise ValueError("20")
            return number

        return work

    began = asyncio.get_running_loop().time()
    assert await a_few_at_once([part(number) for number in range(8)]) == list(range(8))
    assert asyncio.get_running_loop().time() - began == pytest.approx(2)
    assert await a_few_at_once([]) == []
    begun.clear()
    with pytest.raises(ValueError, match="20"):
        await a_few_at_once([part(number) for number in range(20, 40)])
    assert begun == list(range(20, 26))
