"""What belongs to one opens, changes and shows nothing of another: every route, every caller, every id.

The tables are in `tests/support/isolation`, in `table.py` and `slots.py`; there they can be read.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock
from tests.support.isolation.calls import Sent
from tests.support.isolation.slots import BY_THEMSELVES, NO_ID, slot_rows
from tests.support.isolation.table import access_rows
from tests.support.isolation.verdict import Case, access_cases, check_reply, slot_cases
from tests.support.isolation.world import APP_KEY, Answered, World, build_world
from tools.openapi import PATH as DOCUMENT
from tools.openapi.conformance import documented
from waypost_worker.app import ROUTES
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

ROUTE_NAMES = [f"{route.method} {route.template}" for route in ROUTES]
DOCUMENTED: Any = json.loads(DOCUMENT.read_text())
Cases = Callable[[World, World], Iterator[Case]]
MOMENT_SECONDS = 1.0
"""How long a stream is listened to."""


class SeenKv(MemoryKv):
    """A store that can be looked at."""

    def entries(self) -> dict[str, object]:
        """All entries but the chunks of answers, which a running generation adds to."""
        return {key: entry for key, entry in self._entries.items() if not key.startswith("gen:")}


class Pair:
    """An application with two worlds on it."""

    def __init__(self, **settings: bool) -> None:
        self.kv = SeenKv(VirtualClock())
        self.client = make_client(Settings(signing_keys=(KEY,), app_keys=(APP_KEY,), **settings), self.kv)
        self._held: list[AsyncGenerator[bytes, None]] = []
        self.worlds: tuple[World, ...] = ()

    async def build(self) -> "Pair":
        self.worlds = (
            await build_world("ada", self.send),
            await build_world("bob", self.send),
        )
        # Until the answered requests are removed.
        await asyncio.sleep(1.2)
        return self

    async def send(self, sent: Sent, *, hold: bool = False) -> Answered:
        response = await self.client.open(sent.method, sent.url, headers=sent.headers, body=sent.body)
        body = response.body
        if not isinstance(body, AsyncGenerator):
            documented().check(sent.method, sent.url.partition("?")[0], response.status, response.headers, body or b"")
            return Answered(response.status, response.headers, body or b"")
        if hold:
            self._held.append(body)
            return Answered(response.status, response.headers, await anext(body))
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(MOMENT_SECONDS):
                async for chunk in body:
                    chunks.append(chunk)
        except TimeoutError:
            pass
        await body.aclose()
        return Answered(response.status, response.headers, b"".join(chunks))

    async def close(self) -> None:
        """Cancels the generations that still run."""
        for task in self.client.background:
            task.cancel()
        await asyncio.gather(*self.client.background, return_exceptions=True)
        for body in self._held:
            await body.aclose()

    def is_stopped(self, world: World) -> bool:
        """Whether the running answer has ended, or is about to."""
        now = VirtualClock().now_ms()
        answer = self.client.app.isolate.answers.running(world.ids["resource"], world.ids["running"], now)
        return answer is None or answer.stop_requested


def of(world: World, entries: dict[str, object]) -> dict[str, object]:
    return {key: entry for key, entry in entries.items() if any(owner in key for owner in world.owners)}


async def check(pair: Pair, case: Case, own: World, other: World) -> bool:
    """Hold one call against the table; whether `pair` is still as it was before."""
    before = pair.kv.entries()
    answered = await pair.send(case.sent)
    after = pair.kv.entries()
    check_reply(case, answered, own, other)
    assert of(other, after) == of(other, before), case.name
    assert not pair.is_stopped(other), case.name
    if case.is_refused or case.outcome == "nothing":
        assert after == before, case.name
        assert not pair.is_stopped(own), case.name
    return after == before and not pair.is_stopped(own)


async def check_all(cases: Cases, **settings: bool) -> None:
    pair = await Pair(**settings).build()
    try:
        for index in (0, 1):
            for number in range(len(list(cases(*pair.worlds)))):
                own, other = pair.worlds[index], pair.worlds[1 - index]
                case = list(cases(own, other))[number]
                if not await check(pair, case, own, other):
                    await pair.close()
                    pair = await Pair(**settings).build()
    finally:
        await pair.close()


@pytest.mark.parametrize("route", ROUTE_NAMES)
async def test_who_has_what_is_anothers_is_told_and_changes_what_the_table_says(route: str):
    await check_all(partial(access_cases, route))


@pytest.mark.parametrize("route", access_rows(once=True))
async def test_a_code_that_somebody_has_joined_with_opens_nothing_where_it_joins_only_once(route: str):
    await check_all(partial(access_cases, route, once=True), require_token=True, code_joins_once=True)


@pytest.mark.parametrize("route", dict.fromkeys(row[0] for row in slot_rows()))
async def test_what_is_anothers_fits_nowhere(route: str):
    await check_all(partial(slot_cases, route))


def test_every_route_has_a_row():
    assert set(access_rows()) == set(ROUTE_NAMES)


def test_every_parameter_and_field_that_could_name_something_of_anothers_is_tried():
    tried = {(route, slot.removeprefix("body:").partition(".")[0]) for route, _, slot, _, _ in slot_rows()}
    for path, operations in DOCUMENTED["paths"].items():
        for method, operation in operations.items():
            for name in names_in(operation):
                assert name in BY_THEMSELVES | NO_ID or (f"{method.upper()} {path}", name) in tried, (path, name)


def names_in(operation: Any) -> set[str]:
    """The parameters of an operation, and the fields of its bodies."""
    found = {resolved(parameter)["name"] for parameter in operation.get("parameters", [])}
    for media in resolved(operation.get("requestBody", {})).get("content", {}).values():
        schema = resolved(media["schema"])
        for one in [schema, *map(resolved, schema.get("anyOf", []))]:
            found |= set(one.get("properties", {}))
    return found


def resolved(value: Any) -> Any:
    while "$ref" in value:
        _, _, kind, name = value["$ref"].split("/")
        value = DOCUMENTED["components"][kind][name]
    return value
