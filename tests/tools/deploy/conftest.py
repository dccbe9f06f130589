"""Deployments in memory, closed after their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from simulation.client import Client
from tests.support.cloudflare_api.server import CloudflareApi
from tests.support.deploying import InMemory


@pytest.fixture
def in_memory() -> Iterator[Callable[..., InMemory]]:
    """Makes deployments in memory."""
    made: list[InMemory] = []

    def make(client: Client | None = None) -> InMemory:
        made.append(InMemory(client))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def api() -> Iterator[CloudflareApi]:
    """The fake API of an empty account."""
    with CloudflareApi() as running:
        yield running
    assert running.unknown == []
