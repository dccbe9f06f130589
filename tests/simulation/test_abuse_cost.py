"""What one address can cost the owner: SECURITY.md says what is counted, and no route is above a dollar an hour."""

import asyncio
from collections import Counter

import pytest

from simulation.abuse_cost import BEGIN, END, PAGE, REQUEST_DOLLARS, BilledKv, a_minute, abuse_table, bills
from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.builders import cursor_at
from waypost_worker.app import ROUTES
from waypost_worker.kv.keys import requests_scope
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.rate_limits import PERIOD_SECONDS, Limit
from waypost_worker.settings import Settings

TARGET_DOLLARS = 1.0


def test_every_route_is_billed_and_none_costs_a_dollar_an_hour() -> None:
    found = bills()
    assert set(found) == {f"{route.method} {route.template}" for route in ROUTES}
    requests = REQUEST_DOLLARS * a_minute()[Limit.ADDRESS] * 60
    assert max(bill.dollars_an_hour for _, bill in found.values()) + requests < TARGET_DOLLARS
    assert f"${requests:.2f} for the requests" in " ".join(PAGE.read_text().split())


def test_the_security_page_has_the_table_as_it_is_counted() -> None:
    assert PAGE.read_text().split(BEGIN)[1].split(END)[0] == abuse_table(), "run `make cost`"


class Window:
    """The platform's limiter: so many uses of a key in each minute."""

    def __init__(self, uses: int) -> None:
        self._uses = uses
        self._clock = VirtualClock()
        self._counts: Counter[tuple[str, int]] = Counter()

    async def allows(self, key: str) -> bool:
        window = (key, self._clock.now_ms() // (PERIOD_SECONDS * 1000))
        self._counts[window] += 1
        return self._counts[window] <= self._uses


@pytest.mark.parametrize("kind", ["acknowledgements", "waits", "streams"])
def test_a_flood_from_one_address_costs_no_more_than_the_page_says(kind: str) -> None:
    minutes = 3

    async def flood() -> float:
        kv = BilledKv(MemoryKv(VirtualClock()))
        limiters = {limit: Window(uses) for limit, uses in a_minute().items()}
        client = make_client(Settings(signing_keys=(KEY,)), kv, limiters)
        session = await client.open_session()
        before = kv.dollars
        made_up = {"code": session.code, "cursors": [cursor_at(n, requests_scope(session.code)) for n in range(100)]}

        async def call() -> None:
            if kind == "acknowledgements":
                await client.call("POST", "/api/ack", made_up, token=session.host)
            elif kind == "waits":
                await client.call("GET", f"/api/poll?code={session.code}&wait=60", token=session.host)
            else:
                await client.call("GET", f"/api/stream?code={session.code}", token=session.host)

        async def minute() -> None:
            await asyncio.gather(*(call() for _ in range(300)))

        floods = []
        for _ in range(minutes):
            floods.append(asyncio.ensure_future(minute()))
            await asyncio.sleep(60)
        cost = kv.dollars - before
        for each in floods:
            each.cancel()
        await asyncio.gather(*floods, return_exceptions=True)
        return cost

    # Four minutes of the clock may have begun in three.
    assert run(flood()) <= TARGET_DOLLARS * 0.9 / 60 * (minutes + 1)
