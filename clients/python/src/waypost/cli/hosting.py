"""What `serve` and `listen` share: the session, its file, and how a host's end is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from waypost.cli.home import forget, ledger_of
from waypost.cli.options import Invocation
from waypost.errors import ConfigError, SessionOver, WaypostError

if TYPE_CHECKING:
    from waypost._async.session import AsyncSession
    from waypost._core.listening import Ended
    from waypost.host.host import Host
    from waypost.host.running import HostState
    from waypost.host.sqlite_ledger import SqliteLedger


class Place(NamedTuple):
    """A session, and the ledger that remembers its calls."""

    session: AsyncSession
    ledger: SqliteLedger


@asynccontextmanager
async def place_of(
    use: Invocation, code: str | None, *, label: str | None, encrypted: bool
) -> AsyncGenerator[Place, None]:
    """The session `code` that this machine opened, or a new one."""
    from waypost._core.ids import read_invite

    if code is None:
        async with use.client() as client:
            session = await client.open_session(label=label, encrypted=encrypted)
            ledger = ledger_of(session.code, make=True)
            with contextlib.closing(ledger):
                ledger.save_session(session.record)
                yield Place(session, ledger)
        return
    plain = read_invite(code).code
    with contextlib.closing(ledger_of(plain)) as ledger:
        record = ledger.saved_session()
        if record is None:
            raise ConfigError("unknown_session", f"The session {plain} is over. A new one: waypost serve --new")
        async with use.client_of(record.base_url) as client:
            yield Place(client.restore(record), ledger)


def require_one(code: str | None, new: bool) -> None:
    """Raises `click.UsageError` unless there is a code or `--new`."""
    if (code is None) is not new:
        raise click.UsageError("Which session? Give the code of `waypost open`, or --new for a new one.")


def announce(use: Invocation, session: AsyncSession) -> None:
    """Prints what guests need."""
    mcp_url = None if session.key else session.mcp_url
    invite = session.link if session.key else session.code
    use.out.result({"code": session.code, "link": session.link, "mcpUrl": mcp_url}, invite)
    if mcp_url and not use.out.as_json:
        use.out.note(f"For MCP clients: {mcp_url}")


def reporter(use: Invocation) -> Callable[[HostState], None]:
    """What says on stderr whether guests can reach the host."""

    def report(state: HostState) -> None:
        if state.state == "online":
            use.out.note("Online. Ctrl-C ends it.")
        elif state.state == "waiting":
            use.out.note(f"The connection is lost. It comes back in {state.delay:.0f} s: {state.error}")

    return report


async def host_until_end(host: Host, session: AsyncSession, gone: asyncio.Event | None = None) -> None:
    """Runs a host. Ctrl-C and SIGTERM end it without an error.

    Raises:
        SessionOver: the session has ended.
        WaypostError: another host has taken it over, or what is behind the tools is `gone`.
    """
    running = asyncio.ensure_future(host.run(session))
    watching = asyncio.ensure_future((gone or asyncio.Event()).wait())
    try:
        await asyncio.wait([running, watching], return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        # What a service manager, and a person, mean by it.
        await _stop(running)
        return
    finally:
        watching.cancel()
    if not running.done():
        await _stop(running)
        raise WaypostError("mcp_server_gone", "The MCP server has ended.")
    end = running.result()
    if end.reason == "superseded":
        raise WaypostError("superseded", f"Another host has taken the session {session.code} over.")
    forget(session.code)
    raise SessionOver(end.reason, f"The session {session.code} is over.")


async def _stop(running: asyncio.Future[Ended]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
