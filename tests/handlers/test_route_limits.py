"""Every route has budgets, says which, and keeps to them: shown on the document's example calls."""

import asyncio
import json
from collections import defaultdict
from typing import Any

import pytest

from simulation.client import KEY, make_client
from simulation.scripted_model import ScriptedModel, counted
from simulation.virtual_time import run
from tests.support.limiters import Budget
from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.example_calls.step import begin
from tools.openapi.example_runner import Answered, Sent, run_steps
from tools.openapi.in_memory import InMemoryService
from waypost_worker.app import ROUTES
from waypost_worker.http.routing import Router
from waypost_worker.security.rate_limits import OF_ADDRESS, Limit
from waypost_worker.settings import Settings

ROUTER = Router(ROUTES)


class Budgets:
    """One budget of each name: notes what is spent, and refuses the one named in `refused`."""

    def __init__(self) -> None:
        self.spent: set[Limit] = set()
        self.refused: Limit | None = None
        self.limiters = {limit: _Budget(self, limit) for limit in Limit}


class _Budget:
    def __init__(self, budgets: Budgets, limit: Limit) -> None:
        self._budgets = budgets
        self._limit = limit

    async def allows(self, key: str) -> bool:
        assert key
        self._budgets.spent.add(self._limit)
        return self._budgets.refused is not self._limit


def declared(sent: Sent) -> tuple[Limit, ...]:
    return ROUTER.find(sent.method, sent.url.partition("?")[0])[0].limits


def name(sent: Sent) -> str:
    route, _ = ROUTER.find(sent.method, sent.url.partition("?")[0])
    return f"{route.method} {route.template}"


def test_every_route_declares_the_budget_of_the_address_at_least():
    assert [route.template for route in ROUTES if Limit.ADDRESS not in route.limits] == []


def test_every_route_spends_what_it_declares_and_nothing_else():
    budgets = Budgets()
    stage = InMemoryService(budgets.limiters)
    spent: dict[str, set[Limit]] = defaultdict(set)

    async def send(sent: Sent) -> Answered:
        budgets.spent = set()
        answered = await stage.send(sent)
        spent[name(sent)] |= budgets.spent
        return answered

    asyncio.run(run_steps(EXAMPLE_CALLS, begin(), send))
    # A miss is spent by what does not exist; the tests of access show it.
    expected = {f"{route.method} {route.template}": set(route.limits) - {Limit.MISS} for route in ROUTES}
    assert {route: limits - {Limit.MISS} for route, limits in spent.items()} == expected


@pytest.mark.parametrize("limit", [limit for limit in Limit if limit is not Limit.MISS])
def test_a_spent_budget_is_refused_by_every_route_that_declares_it_and_nothing_has_happened(limit: Limit):
    budgets = Budgets()
    stage = InMemoryService(budgets.limiters)
    refused = set()

    async def send(sent: Sent) -> Answered:
        if limit in declared(sent):
            budgets.refused = limit
            answered = await stage.send(sent)
            budgets.refused = None
            # An invalid request gets its own error before its handler spends a budget.
            if limit in OF_ADDRESS or answered.status == 429:
                assert (answered.status, answered.headers["retry-after"]) == (429, "60"), name(sent)
                refused.add(name(sent))
        # The calls go on as if the refused call had not been made, with the same replies.
        return await stage.send(sent)

    asyncio.run(run_steps(EXAMPLE_CALLS, begin(), send))
    assert refused == {f"{route.method} {route.template}" for route in ROUTES if limit in route.limits}


@pytest.mark.parametrize(("kib", "uses"), [(0, 1), (63, 1), (65, 2), (250, 4)])
def test_an_import_costs_by_its_size(kib: int, uses: int):
    budget = Budget(9)
    client = make_client(limiters={Limit.APPEND: budget})
    messages = [{"role": "user", "content": "x" * (kib * 1024)}]
    assert run(client.call("PUT", "/api/conversations/s", {"messages": messages})).status < 300
    assert budget.counts == {"conv:s": uses}


@pytest.mark.parametrize(("kib", "uses"), [(0, 0), (6, 0), (7, 1), (63, 1), (65, 2), (250, 4), (1023, 16)])
def test_an_append_costs_one_of_many_small_writes_and_by_its_size_if_it_is_large(kib: int, uses: int):
    appends, small = Budget(20), Budget(1)
    client = make_client(limiters={Limit.APPEND: appends, Limit.MESSAGE: small})
    messages = [{"role": "user", "content": "x" * (kib * 1024)}]
    reply = run(client.call("POST", "/api/conversations/s/messages", {"messages": messages}))
    assert (reply.status, reply.headers["RateLimit-Policy"]) == (201, '"message";q=600;w=60')
    assert (appends.counts.get("conv:s", 0), small.counts) == (uses, {"conv:s": 1})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "messages", {"messages": [{"role": "user", "content": ""}]}),
        ("POST", "pop", {"id": "p"}),
        ("DELETE", "messages/m", None),
    ],
)
async def test_a_spent_budget_is_named_and_how_much_is_left_only_then(method: str, path: str, body: Any):
    client = make_client(limiters={Limit.MESSAGE: Budget(1)})
    within = await client.call(method, f"/api/conversations/s/{path}", body)
    assert (within.headers["RateLimit-Policy"], "RateLimit" in within.headers) == ('"message";q=600;w=60', False)
    refused = await client.call(method, f"/api/conversations/s/{path}", body)
    assert refused.status == 429
    assert refused.headers["RateLimit-Policy"] == '"message";q=600;w=60'
    assert (refused.headers["RateLimit"], refused.headers["Retry-After"]) == ('"message";r=0;t=60', "60")


async def test_where_nothing_is_counted_no_limit_is_named():
    reply = await make_client(limiters={}).call("POST", "/api/conversations/s/pop", {"id": "p"})
    assert "RateLimit-Policy" not in reply.headers


def test_lines_that_are_imported_cost_by_their_size_too():
    budget = Budget(99)
    client = make_client(limiters={Limit.APPEND: budget})
    line = json.dumps({"role": "user", "content": "x" * (250 * 1024)}).encode() + b"\n"
    options = {"body": line * 4, "headers": {"Content-Type": "application/x-ndjson"}}
    assert run(client.call("PUT", "/api/conversations/s", **options)).status == 200
    assert budget.counts == {"conv:s": 16}


async def test_forgetting_counts_as_writing():
    budget = Budget(0)
    reply = await make_client(limiters={Limit.APPEND: budget}).call("DELETE", "/api/conversations/s")
    assert (reply.status, budget.counts) == (429, {"conv:s": 1})


@pytest.mark.parametrize(
    ("app_keys", "asker"), [((), "203.0.113.7"), (("a key of an app, long enough",), "thread:somebody:")]
)
async def test_questions_are_counted_by_address_or_for_an_app_by_its_resource(app_keys: tuple[str, ...], asker: str):
    budget = Budget(0)
    client = make_client(Settings(signing_keys=(KEY,), app_keys=app_keys), limiters={Limit.ANSWER: budget})
    question = {"message": "Hello", "threadId": "t", "resourceId": "somebody"}
    reply = await client.call("POST", "/api/chat", question, token=app_keys[0] if app_keys else None, ip="203.0.113.7")
    assert (reply.status, budget.counts) == (429, {asker: 1})


@pytest.mark.parametrize("uses", [6, 7, 8, 12])
async def test_an_answer_is_kept_where_the_budget_of_its_address_ends_under_it(uses: int):
    model = ScriptedModel(counted(80, 0.25))
    client = make_client(limiters={Limit.ADDRESS: Budget(uses)}, model=model)
    reply = await client.call("POST", "/api/chat", {"message": "Count.", "threadId": "t", "resourceId": "r"})
    assert (reply.status, b"event: done" in reply.body) == (200, True)
    # Asked from another address: that of the question has nothing left.
    again = {"message": "Once more.", "threadId": "t", "resourceId": "r"}
    assert (await client.call("POST", "/api/chat", again)).status == 429
    listed = (await client.call("GET", "/api/sessions?resourceId=r", ip="192.0.2.2")).json()
    [session_id] = [each["sessionId"] for each in listed["sessions"]]
    kept = (await client.call("GET", f"/api/conversations/{session_id}", ip="192.0.2.2")).json()["messages"]
    assert [message["role"] for message in kept] == ["user", "assistant"]
    assert not kept[1].get("partial")


async def test_a_stream_and_a_wait_end_cleanly_where_the_budget_of_their_address_ends():
    client = make_client(limiters={Limit.ADDRESS: Budget(8)})
    session = await client.open_session()
    reply = await client.call("GET", f"/api/stream?code={session.code}", token=session.host)
    assert (reply.status, reply.body.count(b"event: ready"), b"event: end" in reply.body) == (200, 1, False)
    client = make_client(limiters={Limit.ADDRESS: Budget(8)})
    session = await client.open_session()
    asked = await client.ask(session.code, wait=60)
    assert (asked.status, set(asked.json())) == (202, {"id", "cursor"})
    # Here nothing is left for the request itself.
    client = make_client(limiters={Limit.ADDRESS: Budget(2)})
    session = await client.open_session()
    request = {"code": session.code, "tool": "t"}
    others = [await client.call("POST", "/api/request", request, ip=f"192.0.2.{host}") for host in range(10, 15)]
    body = {"code": session.code, "cursors": [each.json()["cursor"] for each in others]}
    spent = await client.call("POST", "/api/ack", body, token=session.host)
    assert (spent.status, spent.json()["code"], spent.headers["Retry-After"]) == (503, "budget_spent", "60")
