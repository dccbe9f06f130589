"""What a deployment that works says of itself."""

from __future__ import annotations

import re
from typing import Any

from tools.local.local_worker import ROOT

DOLLARS_AN_OPERATION = 5e-6
"""What the dearest KV operation costs beyond what the paid plan includes: docs/cost.md."""

_EXAMPLE = re.compile(r"<!-- example: tools by MCP -->\n```sh\n(.*?)```", re.DOTALL)
_LOCAL = "http://localhost:8787"


def mcp_example(url: str, guide: str | None = None) -> str:
    """Return the shell commands of docs/mcp.md that list a session's tools by MCP, for the deployment at `url`."""
    text = (ROOT / "docs" / "mcp.md").read_text() if guide is None else guide
    found = _EXAMPLE.search(text)
    return found[1].replace(_LOCAL, url).strip() if found else ""


def cost(operations: int) -> str:
    """Return what so many KV operations cost."""
    return f"{operations} KV operations, ${operations * DOLLARS_AN_OPERATION:.4f} at most"


def closing(url: str, health: dict[str, Any], operations: int) -> str:
    """Return the text after a deployment: where it is, how to use it, and what the test of it cost."""
    place = health.get("placement")
    lines = [
        f"Waypost {health.get('version', '')} is at {url}".replace("  ", " "),
        f"Its pace is the {health.get('plan', 'free')} plan's; it {f'runs in {place}' if place else 'is not placed'}.",
        f"A session, a call with its answer, MCP and a page work. Testing that took {cost(operations)}.",
    ]
    if health.get("planHint"):
        lines.append("If the account is on Workers Paid: make deploy PLAN=paid, or write it into wrangler.toml.")
    example = "\n".join(f"  {line}" for line in mcp_example(url).splitlines())
    return (
        "\n".join(lines)
        + f"\n\nOpen {url} for a tab with tools; an MCP client uses them by its code:\n\n"
        + f"  claude mcp add --transport http waypost {url}/mcp/CODE\n\n"
        + f"MCP without a tab, to paste into a shell:\n\n{example}\n"
    )
