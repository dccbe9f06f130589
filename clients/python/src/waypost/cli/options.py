"""The options that each verb has, and what a verb gets of them."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from waypost.cli.output import Output
from waypost.cli.server import Server, find_server

if TYPE_CHECKING:
    from waypost._async.client import AsyncWaypost
    from waypost._async.guest import AsyncGuest
    from waypost.cli.running import MakeClient

RETRY_SECONDS = 10.0
"""A person who waits at a terminal waits for less long than a program."""


class Invocation:
    """One use of a verb: how to print, and which server."""

    def __init__(self, output: Output, url: str | None, profile: str | None, make_client: MakeClient | None) -> None:
        self.out = output
        self._url = url
        self._profile = profile
        self._make_client = make_client or _client_of

    def server(self, link_url: str | None = None) -> Server:
        """The server that options, link, environment or profile name. Raises `ConfigError`."""
        return find_server(self._url, self._profile, link_url)

    def client(self, invite: str = "") -> AsyncWaypost:
        """A client, which `async with` closes. `invite`: a code, or a link, which may name the server."""
        from waypost._core.ids import read_invite

        return self.client_of(read_invite(invite).base_url if invite else None)

    async def join(self, client: AsyncWaypost, invite: str) -> AsyncGuest:
        """A guest of a session, the same one each time. Raises what `AsyncWaypost.join` raises."""
        from waypost._core.ids import read_invite
        from waypost.cli.home import guest_id

        return await client.join(invite, id=guest_id(read_invite(invite).code))

    def client_of(self, link_url: str | None) -> AsyncWaypost:
        """The same, for the server of a link or of a session that was kept."""
        return self._make_client(self.server(link_url))


def _client_of(server: Server) -> AsyncWaypost:
    from waypost._async.client import AsyncWaypost
    from waypost._core.config import read_config
    from waypost._core.retrying import Retry

    client = AsyncWaypost(server.url, retry=Retry(max_elapsed=RETRY_SECONDS))
    # Without a key here, the library would take the environment's, which may be another server's.
    client._driver.config = read_config(server.url, server.app_key, {})
    return client


class Secret(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A text that opens something: others see a command's arguments, so it may be in a file (`@FILE`, `@-`: stdin)."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text.startswith("@"):
            text = read_text(text[1:])
        if not text.strip():
            self.fail("It is empty.", param, ctx)
        return text.strip()


def read_text(path: str) -> str:
    """The text of a file, or of stdin (`-`), with or without a byte order mark. Raises `click.UsageError`."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{'stdin' if path == '-' else path} is no text in UTF-8: {error}") from error


_OPTIONS = (
    click.option("--url", help="The server, such as https://your-worker.example"),
    click.option("--profile", help="A profile of the file config.toml."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON: results on stdout, errors on stderr."),
    click.option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
    click.option("-v", "--verbose", is_flag=True, help="Say what goes on, on stderr."),
)


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the common options to a verb, whose function gets an `Invocation` first, and may be async."""

    @functools.wraps(function)
    def invoke(
        *args: Any, url: str | None, profile: str | None, as_json: bool, quiet: bool, verbose: bool, **options: Any
    ) -> Any:
        from waypost.cli.running import run_async

        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        # Not the root's: httpx2 logs URLs, which have codes.
        logging.getLogger("waypost").setLevel(
            logging.DEBUG if verbose else logging.CRITICAL if quiet else logging.ERROR
        )
        make_client = click.get_current_context().obj
        invocation = Invocation(Output(as_json=as_json, quiet=quiet), url, profile, make_client)
        result = function(invocation, *args, **options)
        return run_async(result) if inspect.iscoroutine(result) else result

    for option in reversed(_OPTIONS):
        invoke = option(invoke)
    return invoke
