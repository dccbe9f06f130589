"""Every container that outlives a request has a bound, and a test that holds it: strangers fill an isolate's memory.

The walk covers the modules of the package and all that an App refers to. A container that it does not know fails the
test: give it a bound (`BoundedCache` has all three), and name the test of the bound here.
"""

import ast
import asyncio
import importlib
import pkgutil
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import waypost_worker
from simulation.client import Client, make_client
from tests.support.listener import listen

ROOT = Path(__file__).parents[2]
CONTAINERS = (dict, list, set, deque, bytearray)

LOCAL_CHANNEL = "tests/polling/test_local_channel.py"
MESSAGE_CHANNEL = "tests/queues/test_message_channel.py"
HELD_BY = {
    "BoundedCache._entries": "tests/test_bounded_cache.py::test_whatever_is_put_no_bound_is_exceeded",
    "LocalChannel._topics": f"{LOCAL_CHANNEL}::test_all_items_together_have_a_bounded_number_of_bytes",
    "LocalChannel._wakeups": f"{LOCAL_CHANNEL}::test_lost_wakeups_are_dropped",
    "MessageChannel._topics": f"{LOCAL_CHANNEL}::test_all_items_together_have_a_bounded_number_of_bytes",
    "MessageChannel._wakeups": f"{LOCAL_CHANNEL}::test_lost_wakeups_are_dropped",
    "MessageChannel._unwritten": f"{MESSAGE_CHANNEL}::test_so_many_messages_are_written_behind_and_no_more",
    "Wakeups._wakeups": f"{MESSAGE_CHANNEL}::test_the_loops_that_wait_for_writes_are_forgotten_when_they_go",
    "BodyBudget.by_address": "tests/http/test_body_budget.py::test_all_addresses_have_a_bound_together",
    "BodyBudget.shares": "tests/http/test_body_budget.py::test_all_addresses_have_a_bound_together",
    "OpenStreams._places": "tests/http/test_open_streams.py::test_an_isolate_has_so_many_streams",
    "OpenStreams._by_code": "tests/http/test_open_streams.py::test_an_isolate_has_so_many_streams",
    "OpenStreams._by_address": "tests/http/test_open_streams.py::test_an_isolate_has_so_many_streams",
    "DailyLimits._probe_ms": "tests/kv/test_platform_limits.py::test_each_kind_is_used_up_by_itself",
    "LiveAnswers._answers": "tests/chat/test_live_answer.py::test_an_isolate_generates_a_bounded_number_of_answers",
    "LiveAnswers._watches": "tests/chat/test_live_answer.py::test_a_watch_is_forgotten_with_its_request",
    "Metrics": "tests/handlers/test_metrics.py::test_whatever_is_requested_the_metrics_have_a_bound",
    "RouteMetrics": "tests/handlers/test_metrics.py::test_whatever_is_requested_the_metrics_have_a_bound",
    "Histogram": "tests/handlers/test_metrics.py::test_whatever_is_requested_the_metrics_have_a_bound",
    "GuessThrottle": "tests/security/test_guess_throttle.py",
    "MemoryKv": "tests/kv/test_memory.py",
}
"""`Class.attribute`, or `Class` for all of it -> the test that fills it to its bound and beyond."""

CONSTANT = {"Router", "RateLimits", "Settings", "Plan", "ModelSettings"}
"""Classes whose containers are built at the start and never change; the workload checks that they do not grow."""


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(waypost_worker.__path__, "waypost_worker."):
        if not found.name.startswith("waypost_worker.cloudflare"):
            yield importlib.import_module(found.name)


def containers_of(root: object) -> dict[str, Any]:
    """The containers that `root` refers to through objects of the package, by `Class.attribute`."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    left = [root]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for name in attributes_of(value):
            attribute = getattr(value, name, None)
            if isinstance(attribute, CONTAINERS):
                found[f"{type(value).__name__}.{name}"] = attribute
                left += [item for item in members_of(attribute) if is_ours(item)]
            elif is_ours(attribute):
                left.append(attribute)
    return found


def attributes_of(value: object) -> list[str]:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(value, "__dict__", {}), *slots, *getattr(value, "__struct_fields__", ())]


def members_of(container: Any) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else list(container)


def is_ours(value: object) -> bool:
    return type(value).__module__.startswith("waypost_worker") and not isinstance(value, type)


def unknown(found: dict[str, Any]) -> list[str]:
    known = set(HELD_BY) | CONSTANT
    return sorted(name for name in found if name not in known and name.split(".")[0] not in known)


async def work(client: Client, rounds: int) -> None:
    """Something of everything, each time under other names and from another address."""
    for number in range(rounds):
        ip = f"192.0.2.{number}"
        opened = await client.call("POST", "/api/sessions", {"data": {"url": "https://a.example/"}}, ip=ip)
        code, token = opened.json()["code"], opened.json()["hostToken"]
        await client.call("GET", "/api/sessions/00000000", ip=ip)
        await client.call(
            "PUT", f"/api/sessions/{code}/tools", {"tools": [{"name": "t", "execution": {}}]}, token=token
        )
        listener = await listen(client, f"/api/stream?code={code}", ip=ip)
        await client.call("POST", "/api/request?wait=1", {"code": code, "tool": "t", "id": f"r{number}"}, ip=ip)
        await client.poll(code, token)
        await client.call("POST", "/api/chat", {"threadId": f"t{number}", "message": "hello"}, ip=ip)
        await client.call("PUT", f"/api/conversations/c{number}-{number}", {"messages": []}, ip=ip)
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        await client.call("POST", f"/mcp/{code}", message, ip=ip)
        await listener.stop()
    await asyncio.sleep(60)


async def test_every_container_of_an_isolate_has_a_bound():
    client = make_client()
    await work(client, 2)
    found = containers_of(client.app)
    assert {"BoundedCache._entries", "LocalChannel._topics", "OpenStreams._places", "BodyBudget.shares"} <= set(found)
    assert unknown(found) == []


async def test_a_container_without_a_bound_would_be_noticed():
    client = make_client()
    client.app.isolate.mcp_tools = {}  # type: ignore[assignment]
    assert unknown(containers_of(client.app)) == ["Isolate.mcp_tools"]


@pytest.mark.parametrize("test", sorted(set(HELD_BY.values())))
def test_the_tests_of_the_bounds_exist(test: str):
    path, _, name = test.partition("::")
    assert f"def {name}" in (ROOT / path).read_text()


async def test_what_modules_and_classes_hold_does_not_grow_with_requests():
    client = make_client()
    await work(client, 1)
    before = sizes_of_modules()
    await work(client, 3)
    assert sizes_of_modules() == before


def sizes_of_modules() -> dict[str, int]:
    sizes = {}
    for module in modules():
        spaces = {module.__name__: vars(module)}
        spaces |= {f"{module.__name__}.{n}": vars(v) for n, v in vars(module).items() if isinstance(v, type)}
        for space, names in spaces.items():
            for name, value in list(names.items()):
                if isinstance(value, CONTAINERS) and not name.startswith("__"):
                    sizes[f"{space}.{name}"] = len(value)
    return sizes


def test_no_function_caches_without_a_bound():
    unbounded = [
        f"{path.name}: {function.name}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and any(is_unbounded_cache(decorator) for decorator in function.decorator_list)
        and function.args.args
    ]
    assert unbounded == []


def is_unbounded_cache(decorator: ast.expr) -> bool:
    text = ast.unparse(decorator)
    return text.split(".")[-1] == "cache" or ("lru_cache" in text and "maxsize=None" in text.replace(" ", ""))


def test_an_unbounded_cache_would_be_noticed():
    texts = ("cache", "functools.cache", "lru_cache(maxsize=None)", "lru_cache(maxsize=10)", "property")
    seen = [is_unbounded_cache(ast.parse(text, mode="eval").body) for text in texts]
    assert seen == [True, True, True, False, False]
