"""`waypost doctor`: what works, and what to do about the rest."""

from __future__ import annotations

import platform

import click

from waypost.cli.exits import FAILED, UNREACHABLE
from waypost.cli.options import Invocation, verb


@click.command()
@click.option("--origin", metavar="ORIGIN", help="Also: may pages of this origin use the server?")
@click.option("--no-call", is_flag=True, help="Open no session, and call nothing.")
@verb
async def doctor(use: Invocation, origin: str | None, no_call: bool) -> int:
    """Checks the configuration, the server, the clock, the app key, and a call there and back."""
    import httpx2

    from waypost._core.connecting import version
    from waypost.cli import checks

    server = use.server()
    findings: list[checks.Finding] = []

    def add(finding: checks.Finding) -> checks.Finding:
        findings.append(finding)
        if not use.out.as_json:
            # Each as it comes: a server that does not answer takes its time.
            use.out.text(f"{'ok    ' if finding.ok else 'FAILED'}  {finding.name}: {finding.detail}")
        return finding

    installed = f"waypost {version()}, Python {platform.python_version()}, httpx2 {httpx2.__version__}"
    add(checks.Finding("program", True, installed))
    add(checks.Finding("configuration", True, f"{server.url}, named by {server.source}"))
    async with use.client() as client, httpx2.AsyncClient(timeout=15.0) as http:
        health = add(await checks.check_health(client))
        if health.ok:
            add(await checks.check_clock(http, client.base_url))
            add(await checks.check_app_key(client, server.app_key))
            if origin:
                add(await checks.check_origin(http, client.base_url, origin))
            if not no_call:
                add(await checks.check_call(client))
    ok = all(finding.ok for finding in findings)
    if use.out.as_json:
        use.out.result({"ok": ok, "checks": [finding._asdict() for finding in findings]})
    return 0 if ok else FAILED if health.ok else UNREACHABLE
