"""Requests: whatever is sent is answered with what the document says, never with an error that was not expected."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.virtual_time import run
from tests.support.fuzzing.requests import almost_requests, check_problem, new_application, sender
from tests.support.isolation.calls import Sent
from tools.openapi.conformance import documented

_, WORLD = run(new_application())
"""The same in every example: a new application makes the same ids."""


async def hold_all(calls: list[Sent]) -> None:
    client, world = await new_application()
    assert world == WORLD
    client.log.clear()
    send = sender(client)
    try:
        for sent in calls:
            answered = await send(sent)
            assert answered.status != 500, (sent, client.log)
            if answered.status >= 400 and sent.method != "HEAD" and answered.body:
                check_problem(answered)
            documented().check(
                sent.method, sent.url.partition("?")[0], answered.status, answered.headers, answered.body
            )
        assert not any("Traceback" in line for line in client.log), client.log
    finally:
        for task in client.background:
            task.cancel()
        await asyncio.gather(*client.background, return_exceptions=True)


@settings(max_examples=25)
@given(st.lists(almost_requests(WORLD), min_size=3, max_size=6))
def test_every_request_is_answered_as_it_is_documented(calls: list[Sent]):
    run(hold_all(calls))
