"""What keeps the probe from measuring, each as one sentence for the person who started it."""

from __future__ import annotations

import re
from typing import Any

import httpx

_CLOUDFLARE = re.compile(r"error code: (1\d{3})\b")


class ProbeFailure(Exception):
    """The probe can't go on; the message says why, and what to do."""


def unreachable(url: str, error: httpx.TransportError) -> ProbeFailure:
    """No response came from `url`."""
    if isinstance(error, httpx.UnsupportedProtocol):
        return ProbeFailure(f"{url} is no address of a deployment: it begins with https:// or http://.")
    if isinstance(error, httpx.TimeoutException):
        return ProbeFailure(f"{url} does not answer in time. Is this machine online?")
    if "certificate" in str(error).lower():
        return ProbeFailure(f"The certificate of {url} is not valid: {error}.")
    reason = str(error) or type(error).__name__
    return ProbeFailure(f"{url} can't be reached ({reason}). Is the address right, and is this machine online?")


def no_waypost(url: str, reply: httpx.Response) -> ProbeFailure:
    """Something else than a Waypost answers at `url`."""
    if reply.is_redirect:
        target = reply.headers.get("location", "another address")
        return ProbeFailure(f"{url} redirects to {target}. Name the address of the deployment itself.")
    if problem_of(reply).get("code"):
        return refused(reply)
    if (error := _CLOUDFLARE.search(reply.text)) is not None:
        return ProbeFailure(
            f"Cloudflare itself answers for {url}, with its error {error[1]} and status {reply.status_code}: "
            "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/"
        )
    return ProbeFailure(
        f"{url} is not a Waypost: its /health answers {reply.status_code}, without the fields of a Waypost. "
        "Name the address without a path, as in https://waypost.example.workers.dev."
    )


def refused(reply: httpx.Response) -> ProbeFailure:
    """The deployment does not do what the probe needs."""
    problem = problem_of(reply)
    code, detail = problem.get("code", ""), problem.get("detail", "")
    request = f"{reply.request.method} {reply.request.url.path}"
    if code == "token_required":
        return ProbeFailure(f"{detail} An app key goes into the command: make probe URL=… APP_KEY=….")
    if code == "invalid_token":
        return ProbeFailure(f"The deployment does not know the key in APP_KEY. {detail}")
    if reply.status_code == 429:
        return ProbeFailure(
            "The deployment refuses more requests from this address (429): wait a minute, and run the probe again."
        )
    if code == "daily_limit":
        return ProbeFailure(f"The KV operations of this day are spent: {detail}")
    if detail:
        return ProbeFailure(f"The deployment refuses {request} ({reply.status_code} {code}): {detail}")
    return ProbeFailure(f"The deployment answers {request} with {reply.status_code}, which the probe can't use.")


def problem_of(reply: httpx.Response) -> dict[str, Any]:
    """The problem document in `reply`; empty if it has none."""
    try:
        problem = reply.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
