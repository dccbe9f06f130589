"""A wakeup in the real runtime: one request sets it, and another one wakes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bench.subjects.workerd import Workerd, waypost

ENTRY = Path(__file__).parent / "bell_project" / "entry.py"
LONG = 60


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    ours = waypost("bell")
    with Workerd(replace(ours, modules={**ours.modules, "entry.py": ENTRY})) as workerd:
        yield f"http://127.0.0.1:{workerd.ports['bell']}"


async def call(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(path)).raise_for_status().text


async def woken(url: str, count: int) -> float:
    """Seconds until so many that wait for the longest time have all been woken by other requests."""
    async with httpx.AsyncClient(base_url=url, timeout=LONG * 2) as client:
        waiting = [asyncio.ensure_future(call(client, f"/wait/w{count}-{number}/{LONG}")) for number in range(count)]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await asyncio.gather(*(call(client, f"/ring/w{count}-{number}") for number in range(count)))
        assert all(int(waited) < LONG * 1000 for waited in await asyncio.gather(*waiting))
        return time.monotonic() - began


@pytest.mark.parametrize("count", [1, 20])
def test_a_request_that_waits_is_woken_by_another_one(url: str, count: int) -> None:
    assert asyncio.run(woken(url, count)) < LONG / 2


def test_a_step_of_a_task_gets_no_stack_of_its_own(url: str) -> None:
    """Pyodide's own loop makes one for each, so that it may block, and that is half of what a step costs."""
    assert httpx.get(f"{url}/step").raise_for_status().text == "False"


def test_a_wait_without_a_wakeup_ends_with_its_time(url: str) -> None:
    assert int(httpx.get(f"{url}/wait/alone/0.2").raise_for_status().text) >= 190


def test_a_wakeup_set_before_the_wait_ends_it(url: str) -> None:
    httpx.get(f"{url}/wait/before/0.01").raise_for_status()
    httpx.get(f"{url}/ring/before").raise_for_status()
    assert int(httpx.get(f"{url}/wait/before/{LONG}", timeout=LONG * 2).raise_for_status().text) < LONG * 500


def test_only_a_wait_that_is_a_minute_late_counts_as_lost() -> None:
    async def story(url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=LONG) as client:
            await call(client, "/wait/idle/0.01")
            waiting = asyncio.ensure_future(call(client, "/wait/late/6"))
            longer = asyncio.ensure_future(call(client, "/wait/longer/15"))
            await asyncio.sleep(1)
            assert await call(client, "/later/1") == ""
            assert await call(client, "/later/67") == "late"
            # It was alive after all: its own timer still wakes it, and then it is as before.
            await waiting
            assert await call(client, "/later/0") == ""
            await call(client, "/ring/longer")
            await longer

    ours = waypost("bell")
    with Workerd(replace(ours, modules={**ours.modules, "entry.py": ENTRY})) as workerd:
        asyncio.run(story(f"http://127.0.0.1:{workerd.ports['bell']}"))
