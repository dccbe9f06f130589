"""`/health`: usable or not, why not, and the limits in force."""

import asyncio
import dataclasses

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.faulty_kv import FaultyKv
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.polling.plans import FREE, PAID, Plan
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import key_fingerprint
from waypost_worker.settings import Settings, read_settings
from waypost_worker.version import VERSION, DeployedVersion


class AllowsAll:
    async def allows(self, key: str) -> bool:
        return True


async def test_a_deployment_says_which_upload_runs():
    upload = DeployedVersion("8f1c2d3e-4b5a-4978-8f1c-2d3e4b5a6978", "release-7", "2026-11-26T23:38:16.310Z")
    reply = await make_client(deployed=upload).call("GET", "/health")
    assert reply.json()["workerVersion"] == {"id": upload.id, "tag": upload.tag, "timestamp": upload.timestamp}


async def test_a_usable_service_says_so_with_its_limits():
    reply = await make_client(limiters=dict.fromkeys(Limit, AllowsAll())).call("GET", "/health")
    assert reply.status == 200
    assert reply.json() == {
        "status": "ok",
        "storage": "kv",
        "version": VERSION,
        "plan": "paid",
        "planSet": "paid",
        "planHint": None,
        "dailyLimit": None,
        "model": "echo",
        "rateLimit": True,
        "rateLimits": {
            "ADDRESS_LIMIT": True,
            "SESSION_LIMIT": True,
            "MISS_LIMIT": True,
            "REQUEST_LIMIT": True,
            "ANSWER_LIMIT": True,
            "APPEND_LIMIT": True,
            "MESSAGE_LIMIT": True,
        },
        "limits": {
            "maxBodyBytes": 262_144,
            "maxWaitSeconds": 60,
            "sessionTtlSeconds": 600,
            "maxSessionAgeSeconds": 86_400,
            "queueTtlSeconds": 3600,
            "streamSeconds": 300,
            "conversationTtlSeconds": 3600,
            "historyLimit": 10,
            "threadTtlSeconds": 2_592_000,
            "threadHistoryLimit": 200,
            "historyBytes": 1_048_576,
        },
        "signingKeys": [key_fingerprint(KEY)],
        "placement": None,
        "workerVersion": None,
        "colo": None,
        "code": None,
        "detail": None,
    }


async def test_the_fingerprint_of_the_key_that_signs_comes_first_and_no_key_is_shown():
    new, old = b"a new key of more than 32 bytes, as it must be", KEY
    reply = await make_client(Settings(signing_keys=(new, old))).call("GET", "/health")
    assert reply.json()["signingKeys"] == [key_fingerprint(new), key_fingerprint(old)]
    assert new not in reply.body
    assert (await make_client(read_settings({})).call("GET", "/health")).json()["signingKeys"] == []


async def test_where_a_request_came_in_and_where_it_ran_is_said():
    reply = await make_client().call("GET", "/health", headers={"CF-Placement": "remote-IAD"}, colo="FRA")
    assert (reply.json()["placement"], reply.json()["colo"]) == ("remote-IAD", "FRA")
    settings = read_settings({})
    reply = await make_client(settings).call("GET", "/health", headers={"CF-Placement": "local-FRA"}, colo="FRA")
    assert (reply.status, reply.json()["placement"], reply.json()["colo"]) == (503, "local-FRA", "FRA")


def test_budgets_that_are_not_bound_are_said():
    shown = run(make_client(limiters={Limit.MISS: AllowsAll()}).call("GET", "/health")).json()
    assert (shown["status"], shown["rateLimit"]) == ("ok", False)
    assert [name for name, is_bound in shown["rateLimits"].items() if is_bound] == ["MISS_LIMIT"]


def test_what_is_set_is_what_is_shown():
    settings = Settings(signing_keys=(KEY,), plan=FREE, session_ttl_seconds=61, queue_ttl_seconds=62, history_limit=3)
    settings = dataclasses.replace(settings, thread_ttl_seconds=7200, thread_history_limit=4, history_bytes=70_000)
    shown = run(make_client(settings, storage="memory").call("GET", "/health")).json()
    assert (shown["plan"], shown["storage"], shown["rateLimit"]) == ("free", "memory", False)
    assert (shown["limits"]["sessionTtlSeconds"], shown["limits"]["queueTtlSeconds"]) == (61, 62)
    kept = [shown["limits"][f"{name}"] for name in ("historyLimit", "threadHistoryLimit", "historyBytes")]
    assert (kept, shown["limits"]["threadTtlSeconds"]) == ([3, 4, 70_000], 7200)


def test_a_plan_that_is_not_set_is_said_with_how_to_set_it():
    shown = run(make_client(Settings(signing_keys=(KEY,), plan=FREE, plan_set="")).call("GET", "/health")).json()
    assert (shown["status"], shown["plan"], shown["planSet"]) == ("ok", "free", "")
    assert 'PLAN = "paid"' in shown["planHint"]


@pytest.mark.parametrize(("plan", "operation"), [(FREE, "get"), (PAID, "list")])
async def test_to_ask_for_health_each_minute_takes_little_of_what_a_plan_has(plan: Plan, operation: str):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    await make_client(Settings(signing_keys=(KEY,), plan=plan), kv=kv).call("GET", "/health")
    assert [asked for asked, _ in kv.asked] == [operation]


async def test_an_unconfigured_service_says_why_and_asks_no_store():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    reply = await make_client(read_settings({}), kv=kv).call("GET", "/health")
    shown = reply.json()
    assert (reply.status, shown["status"], shown["code"]) == (503, "unavailable", "unconfigured")
    assert "SIGNING_KEY" in shown["detail"]
    assert kv.asked == []


async def test_a_store_that_does_not_answer_is_said():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: True)
    reply = await make_client(kv=kv).call("GET", "/health")
    assert (reply.status, reply.json()["code"]) == (503, "storage_unavailable")


async def test_an_isolate_that_ends_refuses_requests_for_a_second_and_says_so():
    client = make_client(read_settings({"SIGNING_KEY": "0" * 32, "ALLOWED_ORIGINS": "https://app.example"}))
    client.app.isolate.refused_until_ms = client.app.clock.now_ms() + 1000
    refused = await client.call("POST", "/api/sessions", headers={"Origin": "https://app.example"})
    assert (refused.status, refused.json()["code"], refused.headers["Retry-After"]) == (503, "restarting", "1")
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"
    health = await client.call("GET", "/health")
    assert (health.status, health.json()["status"], health.json()["code"]) == (503, "unavailable", "restarting")
    await asyncio.sleep(1)
    assert (await client.call("POST", "/api/sessions")).status == 201
    assert (await client.call("GET", "/health")).status == 200


async def test_a_look_at_the_health_leaves_no_miss_behind():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    await make_client(kv=kv).call("GET", "/health")
    assert [operation for operation, _ in kv.asked] == ["list"]
