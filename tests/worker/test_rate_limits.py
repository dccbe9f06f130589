"""The budgets on the platform's own counters: each binding of wrangler.toml counts what it is named for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest

from tests.support.http_api import Api
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project
from waypost_worker.security.client_address import WORKERS_ADDRESS
from waypost_worker.security.rate_limits import Limit

FEW = 4
"""Uses of each budget; that of the address has many more, so that it does not come first."""

RequestContext = Callable[[], httpx.Response]


@pytest.fixture(scope="module")
def strict_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A Worker with the bindings of wrangler.toml, each with a small number."""
    project = copy_project(tmp_path_factory.mktemp("strict") / "project")
    config = project / "wrangler.toml"
    small = re.sub(r"limit = \d+", f"limit = {FEW}", config.read_text())
    config.write_text(re.sub(rf'(name = "ADDRESS_LIMIT"\n.*\n.*limit = ){FEW}', r"\g<1>60", small))
    with ProjectWorker(project) as worker:
        yield worker


@pytest.fixture
def strict(strict_worker: LocalWorker) -> Iterator[Api]:
    with Api(strict_worker.url) as caller:
        yield caller


def refused_after(call: RequestContext, uses: int) -> bool:
    """Whether `call` is taken at first and refused when it was made too often.

    The counters restart with each minute of the clock, and one minute may begin in between: within twice the uses,
    the budget of one of the two minutes is overdrawn.
    """
    replies = [call() for _ in range(2 * uses + 1)]
    over = [reply for reply in replies if reply.status_code == 429]
    assert replies[0].status_code < 300, replies[0].text
    for reply in over:
        assert (reply.json()["code"], reply.headers["retry-after"]) == ("rate_limited", "60")
    return bool(over) and all(reply.status_code < 300 for reply in replies[:uses])


def calls(api: Api) -> dict[Limit, RequestContext]:
    session = api.open_session()
    numbers = count()

    def ask_the_model() -> httpx.Response:
        body = {"message": "Hello", "threadId": f"thread-{next(numbers)}", "resourceId": "somebody"}
        return api.call("POST", "/api/chat", body)

    def append() -> httpx.Response:
        return api.call("POST", "/api/conversations/mine/messages", {"messages": [{"role": "user", "content": "x"}]})

    return {
        Limit.SESSION: lambda: api.call("POST", "/api/sessions"),
        Limit.REQUEST: session.ask,
        Limit.ANSWER: ask_the_model,
        Limit.APPEND: append,
    }


@pytest.mark.parametrize("limit", [Limit.SESSION, Limit.REQUEST, Limit.ANSWER, Limit.APPEND])
def test_a_budget_is_counted_by_its_binding(strict: Api, limit: Limit):
    # Opening the session that is asked has cost one use already.
    assert refused_after(calls(strict)[limit], FEW - (limit is Limit.SESSION))


def test_everything_together_is_counted_by_address_and_for_all_of_its_network(strict: Api):
    addresses = (f"2001:db8:7:7::{number:x}" for number in count(1))

    def look() -> httpx.Response:
        return strict.call("GET", "/health", headers={"CF-Connecting-IP": next(addresses)})

    assert refused_after(look, 60)
    assert strict.call("GET", "/health").status_code == 200


def test_workers_of_cloudflare_share_an_address_and_no_budget(strict: Api):
    fields = {"CF-Connecting-IP": WORKERS_ADDRESS, "CF-Ray": "8f1c2d3e4b5a6978-FRA"}

    def look() -> httpx.Response:
        return strict.call("GET", "/health", headers={**fields, "CF-Worker": "busy.example"})

    assert refused_after(look, 60)
    assert strict.call("GET", "/health", headers={**fields, "CF-Worker": "calm.example"}).status_code == 200


def test_a_spent_budget_of_one_session_leaves_another_alone(strict: Api):
    busy, calm = strict.open_session(), strict.open_session()
    assert refused_after(busy.ask, FEW)
    assert calm.ask().status_code == 202


def test_what_is_bound_is_said(strict: Api):
    shown = strict.call("GET", "/health").json()
    assert (shown["rateLimit"], set(shown["rateLimits"])) == (True, {limit.value for limit in Limit})
