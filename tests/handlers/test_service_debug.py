"""`/debug/objects`: only where it was asked for."""

import asyncio

from simulation.client import KEY, make_client
from tests.support.listener import listen
from waypost_worker.settings import Settings


async def test_it_is_not_there_unless_it_was_switched_on():
    reply = await make_client().call("GET", "/debug/objects")
    assert (reply.status, reply.json()["code"]) == (404, "not_found")


async def test_it_counts_open_streams():
    client = make_client(Settings(signing_keys=(KEY,), diagnostics=True))
    # Other tests of the process may have left some behind on purpose.
    before = (await client.call("GET", "/debug/objects")).json()["asyncGenerators"]
    session = await client.open_session()
    stream = await listen(client, f"/api/stream?code={session.code}")
    await asyncio.sleep(1)
    during = (await client.call("GET", "/debug/objects")).json()
    await stream.stop()
    del stream
    await asyncio.sleep(1)
    after = (await client.call("GET", "/debug/objects")).json()
    assert (during["openStreams"], after["openStreams"]) == (1, 0)
    # Of the requests, and of the session.
    assert (during["listeners"], after["listeners"]) == (2, 0)
    assert (during["asyncGenerators"] - before, after["asyncGenerators"] - before) == (4, 0)
    assert (after["openProxies"], after["jsProxies"]) == (0, 0)
    assert after["objects"] > after["coroutines"] > 0
