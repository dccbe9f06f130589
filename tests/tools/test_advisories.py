"""Advisories are found by the real pip-audit and npm, and no network is no advisory, and no clean bill either."""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tools.advisories import REQUIREMENTS, Report, ask, read_npm_audit, read_pip_audit, status
from tools.local.local_worker import ROOT

OF_PYTHON = {
    "id": "GHSA-aaaa",
    "summary": "it leaks",
    "details": "it leaks",
    "affected": [
        {
            "package": {"name": "msgspec", "ecosystem": "PyPI"},
            "versions": ["0.22.0"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.23.0"}]}],
        }
    ],
}
OF_NPM = {
    "id": 7,
    "url": "https://advisories.example/7",
    "title": "it parses too much",
    "severity": "high",
    "vulnerable_versions": "<5.0.0",
}


class Services(BaseHTTPRequestHandler):
    """OSV and npm's registry: an advisory for each package that `known` names."""

    known: frozenset[str] = frozenset()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
        if self.path == "/osv":
            self.reply(200, {"vulns": [OF_PYTHON] if asked["package"]["name"] in self.known else []})
        else:
            self.reply(200, {name: [OF_NPM] for name in asked if name in self.known})

    def do_GET(self) -> None:
        # npm asks which versions of a vulnerable package there are, and does without.
        self.reply(404, {})

    def reply(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def services(*known: str) -> Iterator[str]:
    handler = type("Knowing", (Services,), {"known": frozenset(known)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package of each kind."""
    for name in REQUIREMENTS:
        (tmp_path / name).write_text(f"msgspec==0.22.0 --hash=sha256:{'0' * 64}\n")
    (tmp_path / "package.json").write_text(json.dumps({"name": "p", "devDependencies": {"zod": "4.6.7"}}))
    packages = {
        "": {"name": "p", "devDependencies": {"zod": "4.6.7"}},
        "node_modules/zod": {"version": "4.6.7", "resolved": "https://registry.example/zod-4.6.7.tgz", "dev": True},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"name": "p", "lockfileVersion": 3, "packages": packages}))
    return tmp_path


def asked(project: Path, url: str) -> list[Report]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"npm_config_registry": url, "npm_config_fetch_retry_mintimeout": "1"}
    return ask(project, f"{url}/osv", environment)


def test_advisories_are_found(project: Path) -> None:
    with services("msgspec", "zod") as url:
        python, npm = asked(project, url)

    assert python == Report("Python", ("msgspec 0.22.0: GHSA-aaaa, fixed in 0.23.0",))
    assert npm == Report("npm", ("zod <5.0.0: it parses too much (high), https://advisories.example/7",))
    assert status([python, npm], online=False) == 1


def test_without_advisories_it_passes(project: Path) -> None:
    with services() as url:
        reports = asked(project, url)

    assert reports == [Report("Python"), Report("npm")]
    assert status(reports, online=True) == 0


def test_without_a_network_it_passes_and_says_that_nothing_was_checked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as deaf:
        # A port that is taken, and that nothing listens on.
        deaf.bind(("127.0.0.1", 0))
        python, npm = asked(project, f"http://127.0.0.1:{deaf.getsockname()[1]}")

    assert python.unchecked is not None
    assert "Connection refused" in python.unchecked
    assert npm.unchecked is not None
    assert "ECONNREFUSED" in npm.unchecked
    assert status([python, npm], online=False) == 0
    assert "not checked" in capsys.readouterr().err
    assert status([python, npm], online=True) == 1


@pytest.mark.parametrize("output", ["", "null", "[]", "<html>", '{"error": {}}', "{}"])
def test_what_is_no_report_is_no_clean_bill(output: str) -> None:
    assert read_pip_audit(output, "a\nb\n").unchecked == "b"
    assert read_npm_audit(output, "").unchecked == "it said nothing"


def test_a_package_that_was_skipped_is_not_checked() -> None:
    output = json.dumps({"dependencies": [{"name": "x", "skip_reason": "no such version"}]})

    assert read_pip_audit(output, "").unchecked == "not all were found: x: no such version"


def test_one_advisory_is_named_once_and_not_for_each_package_above() -> None:
    advisory = {"name": "zod", "range": "*", "title": "t", "severity": "low", "url": "u"}
    tree = {"zod": {"via": [advisory]}, "ai": {"via": ["zod", advisory]}, "top": {"via": ["ai"]}}
    output = json.dumps({"auditReportVersion": 2, "vulnerabilities": tree})

    assert read_npm_audit(output, "").found == ("zod *: t (low), u",)


def test_an_accepted_advisory_is_left_out() -> None:
    accepted = {"GHSA-aaaa": "not reachable here", "https://advisories.example/7": "neither"}
    package = {"name": "m", "version": "1", "vulns": [{"id": "GHSA-aaaa", "fix_versions": []}]}

    output = json.dumps({"dependencies": [package]})

    assert read_pip_audit(output, "", accepted) == Report("Python")
    assert read_pip_audit(output, "", {"GHSA-bbbb"}).found == ("m 1: GHSA-aaaa, not fixed yet",)
    output = json.dumps({"auditReportVersion": 2, "vulnerabilities": {"zod": {"via": [{**OF_NPM, "name": "zod"}]}}})
    assert read_npm_audit(output, "", accepted) == Report("npm")


def test_the_locks_of_this_project_are_those_that_are_checked() -> None:
    assert {path.name for path in ROOT.glob("requirements-*.txt")} == set(REQUIREMENTS)
