"""What the tools promise about the runtime, on the real one."""

from __future__ import annotations

import gzip
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.http_api import Api
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import ROOT, environment
from tools.local.running import living

MAX_UPLOAD_KIB = 600


def test_the_worker_answers_over_http(worker: LocalWorker) -> None:
    assert httpx.get(f"{worker.url}/health").status_code == 200


def test_where_a_request_came_in_and_where_it_ran_is_said(worker: LocalWorker) -> None:
    reply = httpx.get(f"{worker.url}/health", headers={"CF-Placement": "remote-IAD"})
    # The runtime's own stand-in for the data centre of a request that came from this machine.
    assert (reply.json()["placement"], reply.json()["colo"]) == ("remote-IAD", "DFW")
    assert reply.headers["server-timing"].endswith('placement;desc="remote-IAD"')
    assert httpx.get(f"{worker.url}/health").json()["placement"] is None


def test_the_site_is_served_with_its_own_headers(worker: LocalWorker) -> None:
    answer = httpx.get(f"{worker.url}/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.fixture(scope="module")
def free() -> Iterator[LocalWorker]:
    """A Worker that is ended and comes back."""
    with LocalWorker(PLAN="free") as worker:
        yield worker


def test_a_variable_overrides_the_one_of_wrangler_toml(free: LocalWorker) -> None:
    assert httpx.get(f"{free.url}/health").json()["plan"] == "free"


# What was stopped does not come back: its state is deleted.
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_nothing_of_a_worker_outlives_it(how: str, free: LocalWorker) -> None:
    if not living(free.group):
        free.restart()
    group, port = free.group, free.port
    assert len(living(group)) > 3, "the guard, wrangler and workerd"
    getattr(free, how)()

    assert living(group) == []
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_the_upload_for_production_is_small(tmp_path: Path) -> None:
    result = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "wrangler", "deploy", "--dry-run", "--outdir", tmp_path],
        cwd=ROOT,
        env=environment() | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    printed = re.search(r"gzip: ([\d.]+) KiB", result.stdout)
    assert printed is not None, result.stdout
    assert float(printed[1]) < MAX_UPLOAD_KIB
    # wrangler's figure, checked against what it wrote.
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    packed = len(gzip.compress(b"".join(path.read_bytes() for path in files)))
    assert packed == pytest.approx(float(printed[1]) * 1024, rel=0.1)
    assert not [path for path in files if path.suffix in {".html", ".pyc", ".pyi"}]


def test_the_explorer_of_kv_is_not_served(api: Api) -> None:
    # With it, any process that reaches the port could read and write every key.
    for path in ("/cdn-cgi/explorer", "/cdn-cgi/explorer/api/storage/kv/namespaces"):
        assert api.call("GET", path).status_code == 404
