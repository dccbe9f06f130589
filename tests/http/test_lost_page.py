"""A path where nothing is served: a page for a person in a browser, a problem document for a program."""

import re
from pathlib import Path

import pytest

from simulation.client import make_client
from waypost_worker.http.lost_page import PAGE

SITE = Path(__file__).parents[2] / "src/site"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_person_gets_a_page_with_a_way_home(method: str):
    reply = await make_client().open(method, "/no/such/page", headers={"Accept": BROWSER})
    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert reply.body == (PAGE if method == "GET" else None)
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert "unsafe" not in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/no/such/page", "*/*"),
        ("GET", "/no/such/page", "application/json"),
        ("GET", "/api/nothing", BROWSER),
        ("GET", "/mcp/a/b", BROWSER),
        ("POST", "/no/such/page", BROWSER),
    ],
)
async def test_a_program_gets_a_problem_document(method: str, path: str, accept: str):
    reply = await make_client().call(method, path, headers={"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert reply.json()["code"] == "not_found"


async def test_a_request_that_says_nothing_of_what_it_accepts_is_a_programs():
    reply = await make_client().call("GET", "/no/such/page")
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_what_the_page_names_is_there():
    for path in re.findall(r'(?:href|src)="/([^"]*)"', PAGE.decode()):
        assert (SITE / path).exists(), path
