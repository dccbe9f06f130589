"""The OpenAPI document against the running Worker: its examples, and whatever schemathesis can make of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.worker.conftest import SIGNING_KEY
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project
from tools.local.local_worker import ROOT
from tools.openapi import PATH
from tools.openapi.conformance import documented
from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.example_calls.step import begin
from tools.openapi.example_runner import Answered, ExampleResult, Sent, count_events, read_events, run_steps
from tools.openapi.in_memory import run_examples

SETTINGS = ROOT / "tests" / "support" / "schemathesis" / "schemathesis.toml"
CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
}
MIN_CASES = 2000
SOAK_EXAMPLES = 30
"""How many cases `make soak` makes of each operation."""

# What is another one at every run; the tag of a page is made of its session's id too.
CHANGING = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "CURSOR"),
    (r"wp1\.(\w+)\.[\w.-]+", r"TOKEN of \1"),
    (r"\bt-[\w-]{43}", "CONVERSATION"),
    (r"\bs-[\w-]{43}", "SESSION ID"),
    (r'\\"[0-9a-f]{32}\\"', "ETAG"),
    (r'"[0-9a-hjkmnp-tv-z]{32}"', '"MCP ADDRESS"'),
    (r'"signingKeys":\["[\w-]{16}"\]', '"signingKeys":["FINGERPRINT"]'),
    # Miniflare makes these up.
    (r'"colo":"[A-Z]{3}"', '"colo":null'),
    (r'"workerVersion":\{[^}]*\}', '"workerVersion":null'),
    (r'"signingKeys":\["[^"]+"\]', '"signingKeys":["FINGERPRINT"]'),
)


class LiveService:
    """The Worker, as the example calls run on it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, sent: Sent) -> Answered:
        # The rehearsal's address stands in an example.
        headers = {**sent.headers, "CF-Connecting-IP": "203.0.113.7", "Accept-Encoding": "identity"}
        with httpx.stream(sent.method, self._url + sent.url, headers=headers, content=sent.body, timeout=120) as reply:
            body = b""
            for chunk in reply.iter_bytes():
                body += chunk
                if sent.events and count_events(body) >= sent.events and body.endswith(b"\n"):
                    break
        return Answered(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, body)


@pytest.fixture(scope="module")
def told(worker: LocalWorker) -> tuple[list[ExampleResult], dict[str, str]]:
    """The results of the example calls against the Worker, and the values that they began and ended with."""
    values = begin(f"{uuid.uuid4().hex[:8]}-")
    return asyncio.run(run_steps(EXAMPLE_CALLS, values, LiveService(worker.url).send)), values


def test_every_example_is_answered_as_the_document_says(told: tuple[list[ExampleResult], dict[str, str]]) -> None:
    results, values = told
    expected = run_examples()
    assert len(results) == len(expected)
    shown_code = json.loads(expected[0].answered.body)["code"]
    for live, shown in zip(results, expected, strict=True):
        assert outline(live, values["code"]) == outline(shown, shown_code), live.step


def test_every_reply_is_one_that_the_document_knows(told: tuple[list[ExampleResult], dict[str, str]]) -> None:
    for one in told[0]:
        method, _, template = one.step.route.partition(" ")
        path = re.sub(r"{(\w+)}", lambda match, one=one: one.path[match[1]].replace("/", "%2F"), template)
        documented().check(method, path, one.answered.status, one.answered.headers, one.answered.body)


def outline(one: ExampleResult, code: str) -> tuple[Any, ...]:
    """What must be the same from the application in process and from the Worker. `code`: of the first session."""
    text = one.answered.body.decode().replace(code, "THE-CODE")
    if one.answered.media_type == "text/event-stream":
        return one.answered.status, heard(text, is_whole="Last-Event-ID" not in one.headers)
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    text = re.sub(r'"code":"[0-9A-Z]{8}"', '"code":"CODE"', text)
    return one.answered.status, one.answered.media_type, text


def heard(text: str, *, is_whole: bool) -> tuple[list[str], str]:
    """The kinds of events in their order, repetitions left out, and (of a whole stream) all its text."""
    kinds: list[str] = []
    words = ""
    for event in read_events(text):
        data = {} if event["data"] in ("", "[DONE]") else json.loads(event["data"])
        kind = event.get("event") or data.get("type") or event["data"]
        kinds += [kind] if kinds[-1:] != [kind] else []
        words += data.get("text", "") or data.get("delta", "")
    return kinds, words if is_whole else ""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A Worker of this module's own, which no edit restarts."""
    project = copy_project(tmp_path_factory.mktemp("attacked") / "project")
    with ProjectWorker(project, SIGNING_KEY, DIAGNOSTICS="on") as worker:
        yield worker


RUNS = {
    # Apart, since the stateful phase begins with POSTs that make things, and with others where there are none:
    # so the links of documents and pages, which begin with a PUT, and those of threads are followed too.
    "sessions and conversations": (
        *(f"--include-tag={tag}" for tag in ("sessions", "calls", "mcp", "conversations", "service")),
        "--include-operation-id=askVoiceAgent",
    ),
    "threads": ("--include-tag=chats", "--include-tag=threads", "--exclude-operation-id=askVoiceAgent"),
    "documents and pages": ("--include-tag=documents", "--include-tag=pages"),
}


def test_schemathesis_finds_nothing(attacked: LocalWorker, tmp_path: Path) -> None:
    # Side by side, for two cores; in processes, since CPython 3.11 can't parse in two threads concurrently, which
    # Hypothesis does: https://github.com/python/cpython/issues/106905
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda run: attack(attacked, tmp_path, *run), RUNS.items())
        reports = dict(zip(RUNS, made, strict=True))
    cases = {name: report["test_cases"]["generated"] for name, report in reports.items()}
    assert sum(cases.values()) >= MIN_CASES, cases
    for name, report in reports.items():
        assert report["complete"], name
        assert (report["failures"], report["errors"]) == ([], []), name
    assert {phase["status"] for report in reports.values() for phase in report["phases"].values()} == {"success"}
    operations = sum(map(len, json.loads(PATH.read_text())["paths"].values()))
    assert sum(report["operations"]["tested"] for report in reports.values()) == operations


def attack(worker: LocalWorker, folder: Path, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    """Run schemathesis; its report."""
    path = folder / f"{name.replace(' ', '-')}.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", SETTINGS, "run", f"{worker.url}/openapi.json"),
        *("--url", worker.url, "--no-color", *options),
        *("--report", "json", "--report-json-path", path),
        *(["--max-examples", str(SOAK_EXAMPLES)] if os.environ.get("WAYPOST_SOAK") else []),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{name}\n{done.stdout}\n{done.stderr}"
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def test_all_checks_of_schemathesis_are_on() -> None:
    from schemathesis.config._checks import _BUILTIN_CHECK_NAMES

    # How fast it is is measured elsewhere.
    assert _BUILTIN_CHECK_NAMES - {"max_response_time"} == CHECKS
    exceptions = re.findall(
        r'(?m)^include-operation-id = "(\w+)"\nchecks\.(\w+)\.enabled = false', SETTINGS.read_text()
    )
    assert exceptions == [
        ("readConversation", "use_after_free"),
        ("cancelRequest", "ensure_resource_availability"),
    ]
    of_paths = re.findall(r'(?m)^include-path-regex = "(\S+)"\nchecks\.(\w+)\.enabled = false', SETTINGS.read_text())
    assert of_paths == [
        ("^/mcp", "positive_data_acceptance"),
        ("^/api/(sessions/.*/leave|stream|resources/.*/export)$", "positive_data_acceptance"),
    ]
    assert SETTINGS.read_text().count("enabled = false") == len(exceptions) + len(of_paths) + len(["cache"])
