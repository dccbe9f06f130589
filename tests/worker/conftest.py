"""Fixtures that run the real Worker; every test below this folder carries the marker `worker`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.http_api import Api
from tests.support.worker import LocalWorker

HERE = Path(__file__).parent
SIGNING_KEY = "the key of the shared Worker, made up for these tests"
"""Known, so that tests can make tokens that are genuine but expired."""


class NewWorker(Protocol):
    """Starts one more Worker, ready when it is returned; it ends with the test."""

    def __call__(self, *, signing_key: str | None = "", **variables: str) -> LocalWorker: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.worker)


@pytest.fixture(scope="session")
def worker() -> Iterator[LocalWorker]:
    """The Worker all tests share. Who kills it or needs other variables takes `new_worker`."""
    with LocalWorker(SIGNING_KEY) as shared:
        yield shared


@pytest.fixture
def api(worker: LocalWorker) -> Iterator[Api]:
    """A caller of the shared Worker, from an address of its own; its streams are closed after the test."""
    with Api(worker.url) as caller:
        yield caller


@pytest.fixture
def new_worker() -> Iterator[NewWorker]:
    """A factory of Workers with KV, secrets and variables of their own."""
    with ExitStack() as stack:

        def start(*, signing_key: str | None = "", **variables: str) -> LocalWorker:
            return stack.enter_context(LocalWorker(signing_key=signing_key, **variables))

        yield start
