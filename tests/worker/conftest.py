"""Fixtures that run the real Worker; every test below this folder carries the marker `worker`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.http_api import Api
from tools.local.harness.two_isolates import TwoIsolates
from tools.local.harness.worker import LocalWorker

HERE = Path(__file__).parent
MAIN_FILES = frozenset(
    {
        "test_chat.py",
        "test_chat_calls.py",
        "test_conversations.py",
        "test_docs_examples.py",
        "test_documents.py",
        "test_mcp_clients_inspector.py",
        "test_pages.py",
        "test_python_client.py",
        "test_queues.py",
        "test_sessions.py",
        "test_streams.py",
        "test_threads.py",
        "test_voice.py",
    }
)
"""The files whose tests `make test` runs too, but those with the marker `verify`; every other file gets it here."""
LONGEST_FIRST = (
    "test_openapi.py",
    "test_models.py",
    "test_mcp_clients_conformance.py",
    "test_mcp_clients_python.py",
    "test_leaks.py",
    "test_faults.py",
    "test_restart.py",
    "test_two_versions.py",
    "test_chat_isolates.py",
    "test_runtime.py",
    "test_threads.py",
    "test_chat_restart.py",
    "test_chat.py",
    "test_chat_models.py",
    "test_mcp_clients_typescript.py",
    "test_memory.py",
    "test_departures.py",
    "test_export.py",
    "test_rollback.py",
    "test_ai_sdk.py",
    "test_mcp_clients_restart.py",
    "test_chat_leaks.py",
    "test_tab_chat_restart.py",
)
"""Files run in parallel: a long one that started last would run alone."""
SIGNING_KEY = "the key of the shared Worker, made up for these tests"
"""Known, so that tests can make tokens that are genuine but expired."""


class NewWorker(Protocol):
    """Starts one more Worker, ready when it is returned; it ends with the test."""

    def __call__(self, *, signing_key: str | None = "", **variables: str) -> LocalWorker: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.worker)
            if item.path.name not in MAIN_FILES:
                item.add_marker(pytest.mark.verify)
    order = {HERE / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured, and not judged: `record_property`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def worker() -> Iterator[LocalWorker]:
    """The Worker that the tests of a process share. Who kills it or needs other variables takes `new_worker`."""
    with LocalWorker(SIGNING_KEY) as shared:
        yield shared


@pytest.fixture
def api(worker: LocalWorker) -> Iterator[Api]:
    """A caller of the shared Worker, from an address of its own; its streams are closed after the test."""
    with Api(worker.url) as caller:
        yield caller


@pytest.fixture(scope="session")
def two_isolates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoIsolates]:
    """Two isolates on one KV, which the tests of a process share; a request without `X-Isolate` goes to either."""
    with TwoIsolates(tmp_path_factory.mktemp("isolates"), takes_turns=True) as shared:
        yield shared


@pytest.fixture
def isolates(two_isolates: TwoIsolates) -> Iterator[tuple[Api, Api]]:
    """A caller of either."""
    with Api(two_isolates.url) as here, Api(two_isolates.url) as there:
        here.http.headers["X-Isolate"], there.http.headers["X-Isolate"] = "a", "b"
        yield here, there


@pytest.fixture
def new_worker() -> Iterator[NewWorker]:
    """A factory of Workers with KV, secrets and variables of their own."""
    with ExitStack() as stack:

        def start(*, signing_key: str | None = "", **variables: str) -> LocalWorker:
            return stack.enter_context(LocalWorker(signing_key=signing_key, **variables))

        yield start
