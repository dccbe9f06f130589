"""Bad requests: each is refused with its status and its code before anything is written, and the rest goes on.

They are listed in `tests/support/bad_requests/table.py`. The tests of the Worker send them over HTTP.
"""

import pytest

from simulation.client import KEY, Opened
from simulation.virtual_time import START_MS
from tests.support.bad_requests.sending import bad_tokens, body_of, fill, headers_of
from tests.support.bad_requests.table import CASES, NAMES_TWICE, Case
from tests.support.bad_requests.verdict import Answer, check_refusal
from tests.support.namespace import Isolates


class World(Isolates):
    """Sessions in every state. `values` is what each `$NAME` of the table stands for."""

    values: dict[str, str]

    async def open(self) -> Opened:
        session, other, ended = [await self.client.open_session() for _ in range(3)]
        await self.client.call("DELETE", f"/api/sessions/{ended.code}", token=ended.host)
        guest = await self.client.join(session.code)
        self.values = {
            "CODE": session.code,
            "OTHER_CODE": other.code,
            "ENDED": ended.code,
            "HOST": session.host,
            "OTHERS_HOST": other.host,
            "GUEST": guest,
            "REQUEST": (await self.client.ask(session.code)).json()["cursor"],
            "OTHERS_REQUEST": (await self.client.ask(other.code)).json()["cursor"],
            **bad_tokens(session.code, session.host, guest, KEY, START_MS // 1000),
        }
        self.operations()
        return session

    async def send(self, case: Case) -> Answer:
        body = body_of(case, self.values) or b""
        # The client would add a type to a body that has none.
        headers = {"Content-Type": ""} | headers_of(case, self.values)
        reply = await self.client.call(case.method, fill(case.path, self.values), body=body, headers=headers)
        return Answer(reply.status, reply.headers, reply.body)


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_http_only], ids=str)
async def test_a_bad_request_is_refused_with_its_code_and_writes_nothing(case: Case):
    world = World()
    session = await world.open()
    answer = await world.send(case)
    assert "put" not in world.operations()
    check_refusal(case, answer, world.values, KEY.decode())
    assert (await world.client.call("GET", f"/api/sessions/{session.code}")).status == 200


@pytest.mark.parametrize("case", NAMES_TWICE, ids=str)
async def test_a_name_that_is_there_twice_is_named_before_the_store_is_asked(case: Case):
    world = World()
    await world.open()
    answer = await world.send(case)
    assert b"name twice" in answer.body
    assert world.operations() == []


def test_there_are_at_least_fifty_bad_requests_and_no_two_share_a_name():
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)
