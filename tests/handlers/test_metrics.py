"""`/metrics`: for app keys only, and of a size that no caller can blow up."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from simulation.client import KEY, Client, make_client
from waypost_worker.app import ROUTES
from waypost_worker.http.messages import STATUS
from waypost_worker.settings import Settings
from waypost_worker.telemetry.record import CALLERS, ENDINGS, METHODS

APP_KEY = "3Jc-the-only-key-of-this-app"


def keyed() -> Client:
    return make_client(Settings(signing_keys=(KEY,), app_keys=(APP_KEY,)))


async def values(client: Client) -> dict[tuple[str, ...], float]:
    """Name and labels of each sample, without the isolate's -> its value."""
    reply = await client.call("GET", "/metrics", token=APP_KEY)
    assert reply.status == 200, reply.body
    return {
        (sample.name, *(value for name, value in sample.labels.items() if name != "isolate")): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


async def test_an_app_reads_what_this_isolate_has_served():
    client = keyed()
    session = await client.open_session()
    await client.call("GET", "/api/sessions/00000000")
    await client.ask(session.code, id="r")
    await client.poll(session.code, session.host)
    found = await values(client)
    assert found["waypost_requests_total", "POST", "/api/sessions", "2xx"] == 1
    assert found["waypost_requests_total", "GET", "/api/sessions/{code}", "4xx"] == 1
    assert found["waypost_problems_total", "session_not_found"] == 1
    assert found["waypost_requests_by_caller_total", "host"] == 1
    assert found["waypost_delivery_seconds_count", "host"] == 1
    assert found["waypost_kv_operations_total", "write"] >= 2
    assert found["waypost_kv_daily_limit_used_up", "list"] == 0


async def test_the_page_has_the_type_that_prometheus_expects_and_is_not_cached():
    reply = await keyed().call("GET", "/metrics", token=APP_KEY)
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"


async def test_each_isolate_has_a_name_of_its_own_and_keeps_it():
    client = keyed()
    pages = [(await client.call("GET", "/metrics", token=APP_KEY)).body.decode() for _ in range(2)]
    isolates = {
        sample.labels["isolate"]
        for page in pages
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert isolates == {client.app.isolate.name()}


@pytest.mark.parametrize(("token", "status", "code"), [(None, 401, "token_required"), ("x", 401, "invalid_token")])
async def test_nobody_else_reads_them(token: str | None, status: int, code: str):
    reply = await keyed().call("GET", "/metrics", token=token)
    assert (reply.status, reply.json()["code"]) == (status, code)


async def test_the_token_of_a_host_is_not_enough():
    client = keyed()
    session = await client.open_session()
    reply = await client.call("GET", "/metrics", token=session.host)
    assert (reply.status, reply.json()["code"]) == (403, "wrong_role")


async def test_without_app_keys_they_are_refused_with_what_to_do():
    reply = await make_client().call("GET", "/metrics", token=APP_KEY)
    problem = reply.json()
    assert (reply.status, problem["code"]) == (401, "token_required")
    assert "set the secret APP_KEYS" in problem["detail"]


async def test_without_app_keys_nothing_is_counted():
    client = make_client()
    await client.call("GET", "/health")
    assert client.app.isolate.metrics.routes == {}


async def test_whatever_is_requested_the_metrics_have_a_bound():
    client = keyed()
    for number in range(200):
        for method in ("GET", "HEAD", "PURGE", f"M{number}"):
            await client.open(method, f"/none/{number}", ip=f"192.0.2.{number}")
            await client.open(method, f"/api/sessions/{number:08}", ip=f"192.0.2.{number}")
    metrics = client.app.isolate.metrics
    known = {(method, route.template) for route in ROUTES for method in (route.method, "HEAD")}
    assert set(metrics.routes) <= known | {(method, "unmatched") for method in (*METHODS, "OTHER")}
    assert len(metrics.routes) == 5
    assert set(metrics.problems) <= set(STATUS)
    assert set(metrics.callers) <= set(CALLERS)
    assert all(set(route.ended) <= set(ENDINGS) for route in metrics.routes.values())
    assert all(set(route.requests) <= {1, 2, 3, 4, 5} for route in metrics.routes.values())
