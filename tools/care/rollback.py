"""`make rollback`: the version before runs again, and what that does to the data and keys is said.

Cloudflare keeps variables and secrets with each version, so they go back too, and data do not:
https://developers.cloudflare.com/workers/versions-and-deployments/rollbacks/
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tools.care.problem import CareError
from tools.care.wrangler import Run

LOOKS = 30
POLL_SECONDS = 2.0

Health = Callable[[], tuple[str, tuple[str, ...]]]
"""The version that a deployment shows, and the fingerprints of its keys, none if it is too old to show them. Raises
`CareError` where it is not healthy."""


def rollback(
    run: Run,
    health: Health,
    version_id: str,
    message: str,
    *,
    without_asking: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Rolls back to `version_id`, empty for the version before; returns what is in force then. Raises `CareError`."""
    try:
        before: tuple[str, tuple[str, ...]] | None = health()
    except CareError:
        # That may be why.
        before = None
    run(
        [
            *("rollback", *([version_id] if version_id else [])),
            "--message",
            message,
            *(["--yes"] if without_asking else []),
        ],
        None,
    )
    version, keys = _healthy(health, sleep)
    sentences = [f"The deployment is healthy, with version {version}. Its data are what they were."]
    if before is not None and before[1][:1] != keys[:1]:
        sentences.append(
            "It signs with another key than before, since secrets go back with their version: tokens that it does not "
            "know are refused, and their tabs open new sessions."
            if keys
            else "It is too old to show its signing key. If the key was changed since then, tokens of the new one are "
            "refused, and their tabs open new sessions."
        )
    return " ".join(sentences)


def _healthy(health: Health, sleep: Callable[[float], None]) -> tuple[str, tuple[str, ...]]:
    for look in range(LOOKS):
        try:
            return health()
        except CareError:
            if look == LOOKS - 1:
                raise
            sleep(POLL_SECONDS)
    raise AssertionError("unreachable")
