"""What replies of the application say."""

from typing import Any

from simulation.client import Reply


def outcome(reply: Reply) -> tuple[int, Any]:
    """Status and code of a problem."""
    return reply.status, reply.json()["code"]


def operations(reply: Reply) -> str:
    """How many KV operations it cost, as `3 operations`."""
    return reply.headers["Server-Timing"].split('"')[1]
