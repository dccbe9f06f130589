"""What is asked for together takes as long as its slowest part."""

import asyncio

import pytest

from simulation.virtual_time import run
from waypost_worker.kv.together import together


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
