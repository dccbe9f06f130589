"""An isolate whose Python is broken ends itself, and the next request is served by another one: in workerd."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.http_api import Api
from tests.support.waiting import eventually
from tools.local.harness.worker_project import ProjectWorker, copy_project

ENTRY = Path(__file__).parent / "broken_project" / "entry.py"
BEGINS = "this isolate is broken and ends"
RESTART_SECONDS = 90.0
"""Many times what wrangler takes to start the runtime again."""


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectWorker]:
    project = copy_project(tmp_path_factory.mktemp("broken") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    with ProjectWorker(project) as worker:
        yield worker


@pytest.fixture
def api(breakable: ProjectWorker) -> Iterator[Api]:
    with Api(breakable.url) as caller:
        yield caller


def isolate(api: Api) -> str:
    """The name of the isolate that answers; empty while there is none."""
    try:
        reply = api.call("GET", "/isolate")
    except httpx.TransportError:
        return ""
    return reply.text if reply.status_code == 200 else ""


def is_replaced(api: Api, before: str) -> bool:
    return isolate(api) not in ("", before)


def log_since(worker: ProjectWorker, start: int) -> str:
    return worker.log_text()[start:]


def test_a_request_that_can_not_be_entered_is_refused_and_the_next_isolate_serves(
    api: Api, breakable: ProjectWorker
) -> None:
    session, before, start = api.open_session(), isolate(api), len(breakable.log_text())
    assert api.call("GET", "/break/enter").status_code == 202
    refused = session.ask()
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "restarting", "1")
    eventually(lambda: is_replaced(api, before), RESTART_SECONDS)
    assert session.ask().status_code == 202
    assert log_since(breakable, start).count(f"{BEGINS}: Cannot enter into task") == 1


def test_work_in_the_background_that_loses_its_task_ends_the_isolate(api: Api, breakable: ProjectWorker) -> None:
    before, start = isolate(api), len(breakable.log_text())
    assert api.call("GET", "/break/leave").status_code == 202
    eventually(lambda: is_replaced(api, before), RESTART_SECONDS)
    assert f"{BEGINS}: Invalid attempt to leave task" in log_since(breakable, start)


OF_THE_RUNTIME = pytest.mark.skipif(
    not os.environ.get("WAYPOST_SOAK"), reason="shows what workerd does by itself; with `make soak`"
)


@pytest.mark.parametrize("how", ["gil", pytest.param("fatal", marks=OF_THE_RUNTIME)])
def test_an_isolate_that_runs_no_python_any_more_is_replaced(api: Api, how: str) -> None:
    before = isolate(api)
    assert api.call("GET", f"/break/{how}").status_code == 202
    eventually(lambda: is_replaced(api, before), RESTART_SECONDS)


def test_errors_that_only_look_like_these_end_nothing(api: Api, breakable: ProjectWorker) -> None:
    before, start = isolate(api), len(breakable.log_text())
    assert api.call("GET", "/break/forged").status_code == 202
    eventually(lambda: log_since(breakable, start).count("Cannot enter into task") >= 2)
    assert api.call("GET", "/health").status_code == 200
    assert BEGINS not in log_since(breakable, start)
    assert isolate(api) == before


def test_a_stream_that_ends_near_the_limit_of_cpu_time_leaves_nothing_behind(
    api: Api, breakable: ProjectWorker
) -> None:
    before, start = isolate(api), len(breakable.log_text())
    for _ in range(3):
        with suppress(httpx.TransportError):
            api.call("GET", "/cpu")
    eventually(lambda: log_since(breakable, start).count("CpuLimitExceeded") >= 3)
    eventually(lambda: api.call("GET", "/proxies").text == "0")
    assert isolate(api) == before


def test_where_the_runtime_can_not_abort_an_isolate_it_refuses_and_goes_on(api: Api, breakable: ProjectWorker) -> None:
    before, start = isolate(api), len(breakable.log_text())
    assert api.call("GET", "/break/old").status_code == 202
    refused = api.call("POST", "/api/sessions")
    assert (refused.status_code, refused.json()["code"]) == (503, "restarting")
    eventually(lambda: api.call("POST", "/api/sessions").status_code == 201)
    assert isolate(api) == before
    assert BEGINS in log_since(breakable, start)
