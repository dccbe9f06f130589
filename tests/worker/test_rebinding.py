"""Plain HTTP under a name that anybody may have pointed at this machine, in workerd: refused, whatever the method."""

from __future__ import annotations

import httpx
import pytest

from tools.local.harness.worker import LocalWorker

REBOUND = "rebind.example:8806"


def send(worker: LocalWorker, method: str, path: str, **headers: str) -> httpx.Response:
    with httpx.Client(base_url=worker.url, timeout=120, trust_env=False) as client:
        return client.request(method, path, headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/sessions?resourceId=user-1", "/health", "/pages/p", "/mcp"])
def test_a_page_under_a_rebound_name_reads_and_does_nothing(worker: LocalWorker, method: str, path: str):
    # What its browser sends with a GET: no Origin, no Sec-Fetch-Site; the rest it can make up.
    reply = send(worker, method, path, Host=REBOUND, **{"X-Forwarded-Proto": "https"})
    assert reply.status_code == 421
    assert method == "HEAD" or reply.json()["code"] == "host_not_allowed"


@pytest.mark.parametrize(
    "host", ["localhost:8787", "127.0.0.1", "[::1]:8787", "192.168.0.2:8787", "desk", "desk.local"]
)
def test_near_names_and_addresses_are_served(worker: LocalWorker, host: str):
    assert send(worker, "GET", "/health", Host=host).status_code == 200


def test_a_browser_behind_a_tunnel_is_served(worker: LocalWorker):
    reply = send(worker, "GET", "/health", Host="made-up.tunnel.example", **{"Sec-Fetch-Site": "same-origin"})
    assert reply.status_code == 200
