"""The service itself: its health, and tokens for browsers."""

from __future__ import annotations

from waypost._core.messages import Call
from waypost._wire.making import json_request, reading
from waypost.types import AppToken, Health


def health() -> Call[Health]:
    return Call(json_request("GET", "/health"), reading(Health))


def issue_token(resource_id: str, ttl: int | None) -> Call[AppToken]:
    """Repeatable: a second token harms nothing."""
    return Call(json_request("POST", "/api/tokens", {"resourceId": resource_id, "ttl": ttl}), reading(AppToken))
