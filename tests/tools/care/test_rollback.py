"""A rollback says what is in force afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.cloudflare_api.account import Version
from tests.support.cloudflare_api.server import CloudflareApi
from tests.tools.care.conftest import bound
from tools.care.problem import CareError
from tools.care.rollback import LOOKS, Health, rollback
from tools.care.wrangler import wrangler_of


class Shown:
    """What a deployment shows, before wrangler ran and after; `None` is not healthy."""

    def __init__(self, before: tuple[str, tuple[str, ...]] | None, *after: tuple[str, tuple[str, ...]] | None) -> None:
        self.commands: list[list[str]] = []
        self._before = before
        self._after = list(after)

    def run(self, arguments: Sequence[str], _: str | None = None) -> str:
        self.commands.append(list(arguments))
        return ""

    def health(self) -> tuple[str, tuple[str, ...]]:
        after = self._after.pop(0) if len(self._after) > 1 else self._after[0]
        shown = after if self.commands else self._before
        if shown is None:
            raise CareError("not healthy")
        return shown


def rolled_back(shown: Shown, version: str = "", *, yes: bool = False) -> str:
    health: Health = shown.health
    return rollback(shown.run, health, version, "why", without_asking=yes, sleep=lambda _: None)


def test_the_version_that_runs_then_is_said() -> None:
    shown = Shown(("0.2.0", ("a",)), None, None, ("0.1.0", ("a",)))
    assert rolled_back(shown) == "The deployment is healthy, with version 0.1.0. Its data are what they were."
    assert shown.commands == [["rollback", "--message", "why"]]


def test_a_version_may_be_named_and_no_question_asked() -> None:
    shown = Shown(None, ("0.1.0", ()))
    rolled_back(shown, "an-id", yes=True)
    assert shown.commands == [["rollback", "an-id", "--message", "why", "--yes"]]


def test_another_key_is_said() -> None:
    assert "signs with another key" in rolled_back(Shown(("0.2.0", ("b", "a")), ("0.1.0", ("a",))))
    assert "too old to show its signing key" in rolled_back(Shown(("0.2.0", ("a",)), ("0.0.9", ())))


def test_a_deployment_that_stays_broken_is_said() -> None:
    shown = Shown(("0.2.0", ("a",)), *[None] * LOOKS)
    with pytest.raises(CareError, match="not healthy"):
        rolled_back(shown)


@pytest.mark.worker
@pytest.mark.verify
def test_the_real_wrangler_goes_back_to_the_version_before() -> None:
    with CloudflareApi() as api:
        bound(api.account, "waypost")
        worker = api.account.workers["waypost"]
        worker.versions.append(Version(api.account.new_id(), {}, {}, worker.bindings))
        first, second = ({"version_id": version.id, "percentage": 100} for version in worker.versions)
        for number, version in enumerate((first, second)):
            worker.deployments.insert(0, deployment(f"{number}", version))
        run = wrangler_of(api.environment, api.account.id, "waypost")
        rollback(run, lambda: ("0.1.0", ("a",)), "", "why", without_asking=True)
        assert worker.deployments[0]["versions"] == [first]
        assert api.unknown == []


def deployment(id: str, version: dict[str, object]) -> dict[str, object]:
    """A deployment as the API lists it."""
    return {
        "id": id,
        "strategy": "percentage",
        "versions": [version],
        "annotations": {},
        "source": "wrangler",
        "author_email": "tester@example.com",
        "created_on": f"2026-11-2{id}T12:00:00Z",
    }
