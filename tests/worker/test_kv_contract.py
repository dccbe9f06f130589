"""The KV port's suite, run inside workerd on the namespace's binding; and what the runtime's sinks are called with.

Each case runs there, in a request of its own, on the adapter that production uses; the outcome is reported here.
Miniflare is strongly consistent and does not count writes to one key, so neither stale reads nor the refusal of a
second write in the same second occur (tests/simulation has them).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract import kv_contract
from tools.local.harness.worker_project import ProjectWorker, copy_project
from waypost_worker.limits import KV_READ_CACHE_SECONDS

DATASET = '\n[[analytics_engine_datasets]]\nbinding = "WAYPOST_REQUESTS"\ndataset = "waypost_requests"\n'
ENTRY = Path(__file__).parent / "contract_project" / "entry.py"


@pytest.fixture(scope="module")
def contract_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    project = copy_project(tmp_path_factory.mktemp("contract") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    shutil.copy(kv_contract.__file__, project / "src")
    with (project / "wrangler.toml").open("a") as config:
        config.write(DATASET)
    with ProjectWorker(project) as worker, httpx.Client(base_url=worker.url, timeout=120) as client:
        yield client


@pytest.mark.parametrize("name", kv_contract.CASES)
def test_the_binding_keeps_the_contract(name: str, contract_worker: httpx.Client) -> None:
    outcome = contract_worker.post(f"/{name}").json()
    assert outcome["outcome"] == "passed", outcome["traceback"]


def test_each_way_to_read_caches_for_the_shortest_time_that_kv_takes(contract_worker: httpx.Client) -> None:
    shortest = contract_worker.post(f"/cached-for-{KV_READ_CACHE_SECONDS}").json()
    assert shortest == {"get": "", "get_bytes": "", "get_many": ""}
    shorter = contract_worker.post(f"/cached-for-{KV_READ_CACHE_SECONDS - 1}").json()
    assert all(f"Cache TTL must be at least {KV_READ_CACHE_SECONDS}" in why for why in shorter.values()), shorter


def test_the_suite_in_workerd_is_the_suite_here(contract_worker: httpx.Client) -> None:
    assert contract_worker.post("/no-such-case").json()["known"] == sorted(kv_contract.CASES)


def test_a_dataset_gets_points_and_the_console_objects_and_a_dataset_that_fails_is_survived(
    contract_worker: httpx.Client,
) -> None:
    recorded = contract_worker.post("/sinks").json()
    [point] = recorded["points"]
    assert point["indexes"] == ["/health"]
    assert point["blobs"] == ["GET", "/health", "200", "", "anonymous", "", "upload-1"]
    assert point["doubles"] == [0] * 10
    failure, indexed, text = recorded["lines"]
    assert failure.startswith("a data point was not written: ")
    assert indexed == json.loads(text)
    assert indexed["route"] == "/health"
