"""The KV port's suite, run inside workerd on the namespace's binding.

Each case runs there, in a request of its own, on the adapter that production uses; the outcome is reported here.
Miniflare is strongly consistent and does not count writes to one key, so neither stale reads nor the refusal of a
second write in the same second occur (tests/simulation has them).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract import kv_contract
from tools.local.harness.worker_project import ProjectWorker, copy_project
from waypost_worker.limits import KV_READ_CACHE_SECONDS

ENTRY = Path(__file__).parent / "contract_project" / "entry.py"


@pytest.fixture(scope="module")
def contract_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    project = copy_project(tmp_path_factory.mktemp("contract") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    shutil.copy(kv_contract.__file__, project / "src")
    with ProjectWorker(project) as worker, httpx.Client(base_url=worker.url, timeout=60) as client:
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
