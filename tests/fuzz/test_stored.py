"""A damaged value in the store: the call that reads it fails with an error of our own, and no other call fails.

This version never writes such a value; an operator at the dashboard, or a later version, may.
"""

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.fuzzing.almost import almost_text
from tests.support.fuzzing.requests import check_problem, sender
from tests.support.isolation.calls import make_call
from tests.support.isolation.table import access_rows
from tests.support.isolation.world import APP_KEY, World, build_world
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

SETTINGS = Settings(signing_keys=(KEY,), app_keys=(APP_KEY,))
DAMAGE = "damaged by somebody"
CALLERS = ("host", "guest", "key", "ids")


class DamagedKv(MemoryKv):
    """A store whose values a test can damage."""

    def keys(self, world: World) -> list[str]:
        """Those of `world`."""
        return sorted(key for key in self._entries if any(owner in key for owner in world.owners))

    def damage(self, key: str, data: st.DataObject) -> None:
        """Have something else under `key`."""
        entry = self._entries[key]
        texts = [text for text in (entry.value, entry.metadata) if text]
        other = data.draw(
            st.none() | st.just(DAMAGE) | almost_text([*texts, "{}", "[]", "null", "0", '""', "[" * 2000])
        )
        self._entries[key] = (
            replace(entry, metadata=other) if data.draw(st.booleans()) else replace(entry, value=other or "")
        )


def reads() -> list[tuple[str, str]]:
    """Route and caller of all that only reads."""
    return [
        (route, caller)
        for route, row in access_rows().items()
        for caller in CALLERS
        if route.startswith("GET ") and row[caller] == "ok" and (caller != "ids" or row["host"] == "ok")
    ]


async def hold(data: st.DataObject) -> None:
    kv = DamagedKv(VirtualClock())
    client = make_client(SETTINGS, kv)
    damaged, other = [await build_world(name, sender(client)) for name in ("ada", "bob")]
    for key in data.draw(st.lists(st.sampled_from(kv.keys(damaged)), min_size=1, max_size=3)):
        kv.damage(key, data)
    # Another isolate, which remembers nothing of them.
    there = make_client(SETTINGS, kv, seed=1)
    send = sender(there)
    for route, caller in reads():
        try:
            answered = await send(make_call(route, damaged.ids, damaged.bearer(caller)))
        except msgspec.DecodeError:
            # A stream that has begun can only break off, which the runtime logs.
            continue
        if answered.status >= 400:
            check_problem(answered)
            assert DAMAGE.encode() not in answered.body
    for route, caller in reads():
        answered = await send(make_call(route, other.ids, other.bearer(caller)))
        assert answered.status < 300, (route, answered)
    for one in (client, there):
        for task in one.background:
            task.cancel()
        await asyncio.gather(*one.background, return_exceptions=True)


@settings(max_examples=6)
@given(st.data())
def test_what_is_damaged_in_the_store_fails_where_it_is_read_and_nowhere_else(data: Any):
    run(hold(data))
