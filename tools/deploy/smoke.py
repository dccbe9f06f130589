"""Does a deployment work? Waits until it says so itself, then uses it once: a session, a call, its answer, MCP, a page.

What it makes, it deletes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.deploy.failure import DeployFailure
from tools.deploy.sending import Reply, Send, Sent, Unreachable
from tools.probe.timing import told

PATIENCE_SECONDS = 180.0
"""A new name below workers.dev, or a new domain, takes some minutes until its certificate is there."""

LOOK_SECONDS = 3.0
ANSWER_SECONDS = 20

TOOL = {"name": "greet", "description": "Greets a person", "inputSchema": {"type": "object"}}
MCP = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Time:
    """The clock, and how to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Smoke:
    """Requests to the deployment at `url`, and the KV operations that its replies tell of."""

    url: str
    send: Send
    operations: int = 0
    _made: list[tuple[str, str, str]] = field(default_factory=list)
    """What is to be deleted: path, token, and what it is."""

    def call(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Reply:
        """Return the reply to a request. Raises `Unreachable` without one."""
        fields = dict(headers)
        if token:
            fields["Authorization"] = f"Bearer {token}"
        reply = self.send(Sent(method, self.url + path, body, fields))
        self.operations += told(reply.headers).operations
        return reply

    def expect(self, doing: str, reply: Reply, *statuses: int) -> Any:
        """Return the reply's JSON. Raises `DeployFailure` where it has none of the statuses."""
        if reply.status in statuses:
            return reply.json()
        problem = reply.json()
        problem = problem if isinstance(problem, dict) else {}
        reason = problem.get("detail") or "without a reason"
        raise DeployFailure(
            f"The Worker is deployed, but could not {doing} ({reply.status} {problem.get('code', '')}): {reason} "
            "Run the command again to repeat the test; `npx wrangler tail` shows the Worker's log meanwhile."
        )

    def run(self) -> None:
        """Use the deployment once. Raises `DeployFailure` where something does not work."""
        try:
            self._use()
        finally:
            left = [what for path, token, what in reversed(self._made) if not self._is_deleted(path, token)]
            self._made.clear()
        if left:
            raise DeployFailure(f"The smoke test could not delete {' and '.join(left)}; they expire within a day.")

    def _use(self) -> None:
        opened = self.expect(
            "open a session", self.call("POST", "/api/sessions", {"label": "make deploy", "ttl": 60}), 201
        )
        code, host = opened["code"], opened["hostToken"]
        self._made.append((f"/api/sessions/{code}", host, "the session"))
        joined = self.expect("let a guest join", self.call("POST", f"/api/sessions/{code}/join", {}), 200)
        guest = joined["guestToken"]
        self.expect("take tools", self.call("PUT", f"/api/sessions/{code}/tools", {"tools": [TOOL]}, host), 200, 204)
        self._list_by_mcp(guest)
        self._call_a_tool(code, host, guest)
        self._show_a_page()

    def _list_by_mcp(self, guest: str) -> None:
        question = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        listed = self.expect("list tools by MCP", self.call("POST", "/mcp", question, guest, **MCP), 200)
        names = [tool["name"] for tool in (listed or {}).get("result", {}).get("tools", [])]
        if names != [TOOL["name"]]:
            raise DeployFailure(f"The Worker is deployed, but lists the tools {names} by MCP instead of greet.")

    def _call_a_tool(self, code: str, host: str, guest: str) -> None:
        asked = {"code": code, "tool": "greet", "args": {"name": "Ada"}, "id": "smoke-1"}
        self.expect("queue a call", self.call("POST", "/api/request", asked, guest), 200, 202)
        polled = self.expect(
            "deliver a call", self.call("GET", f"/api/poll?code={code}&wait={ANSWER_SECONDS}", token=host), 200
        )
        if [one["data"]["id"] for one in polled["messages"] if one["event"] == "request"] != ["smoke-1"]:
            raise DeployFailure(
                f"The Worker is deployed, but a call did not come to its host within {ANSWER_SECONDS} s: without "
                "placement that may take a minute; run `make probe` to measure it."
            )
        answer = {"code": code, "id": "smoke-1", "result": "Hello Ada"}
        self.expect("take an answer", self.call("POST", "/api/response", answer, host), 202)
        self.expect("bring an answer", self.call("POST", f"/api/request?wait={ANSWER_SECONDS}", asked, guest), 200)

    def _show_a_page(self) -> None:
        page, owner = f"smoke-{secrets.token_hex(8)}", secrets.token_hex(16)
        body = {"html": "<h1>It works</h1>", "title": "make deploy", "sessionId": owner}
        self.expect("store a page", self.call("PUT", f"/api/pages/{page}", body), 200, 201)
        self._made.append((f"/api/pages/{page}?sessionId={owner}", "", "the page"))
        shown = self.call("GET", f"/pages/{page}")
        self.expect("show a page", shown, 200)
        if b"It works" not in shown.body:
            raise DeployFailure("The Worker is deployed, but shows another page than the one that was stored.")

    def _is_deleted(self, path: str, token: str) -> bool:
        try:
            return self.call("DELETE", path, token=token).status in (200, 204, 404, 410)
        except Unreachable:
            return False


def wait(smoke: Smoke, version: str | None, clock: Time, say: Say) -> dict[str, Any]:
    """Return what `/health` says as soon as it is good, and of this version where it names one.

    Raises `DeployFailure` where it says what is wrong, or does not get good in time.
    """
    until = clock.now() + PATIENCE_SECONDS
    has_said = False
    while True:
        reason, health = _look(smoke, version)
        if not reason:
            return health
        if clock.now() >= until:
            raise DeployFailure(
                f"The Worker is deployed, but {smoke.url}/health is not good after {PATIENCE_SECONDS:.0f} s: {reason} "
                "A new address takes some minutes at times: run the command again, which repeats the test."
            )
        if not has_said:
            say(f"Waiting until {smoke.url} answers …")
            has_said = True
        clock.sleep(LOOK_SECONDS)


def _look(smoke: Smoke, version: str | None) -> tuple[str, dict[str, Any]]:
    """Return why the deployment can't be used yet, or an empty reason and its health."""
    try:
        reply = smoke.call("GET", "/health")
    except Unreachable as failure:
        return str(failure), {}
    health = reply.json()
    if not isinstance(health, dict) or "status" not in health:
        return f"it answers {reply.status}, and not as a Waypost does.", {}
    running = (health.get("workerVersion") or {}).get("id")
    if version and running and running != version:
        return "the version before still answers.", {}
    if health["status"] != "ok":
        return f"it says: {health.get('detail') or health['status']}", {}
    if limited := health.get("dailyLimit"):
        spent = ", ".join(limited.get("operations", ["KV operations"]))
        raise DeployFailure(
            f"The Worker is deployed, and can't be used before 00:00 UTC: the account's {spent} of this day are spent, "
            "as the free plan counts them."
        )
    return "", health
