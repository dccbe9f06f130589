"""The list of verbs. The module of a verb is loaded when the verb is used, so that `--help` and completion are fast."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click


class Verb(NamedTuple):
    """Where a verb is, and what it does in one line."""

    module: str
    help: str


VERBS = {
    "open": Verb("open", "Open a session, and print its code."),
    "serve": Verb("serve", "Offer commands, or an MCP server, behind a code."),
    "listen": Verb("listen", "Pass calls on to a local HTTP server."),
    "call": Verb("call", "Call a tool, and print its result."),
    "tools": Verb("tools", "List the tools of a session."),
    "mcp": Verb("mcp", "Print what an MCP client needs to use a session."),
    "chat": Verb("chat", "Ask in a thread."),
    "threads": Verb("threads", "List the threads of a resource."),
    "fork": Verb("fork", "Begin a thread with the history of another one."),
    "export": Verb("transfer", "Write a thread's messages to a file."),
    "import": Verb("transfer", "Read a thread's messages from a file."),
    "docs": Verb("docs", "Read and write documents."),
    "pages": Verb("pages", "Publish HTML pages."),
    "doctor": Verb("doctor", "Check the server and the way to it."),
    "completion": Verb("completion", "Print the completion script of a shell."),
}
NAMES = {"open": "open_", "import": "import_"}


class Verbs(click.Group):
    """A group that knows its verbs without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"waypost.cli.verbs.{VERBS[cmd_name].module}")
        command: click.Command = getattr(module, NAMES.get(cmd_name, cmd_name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, 1)
            hint = f" Did you mean {near[0]}?" if near else " waypost --help lists what there is."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


EPILOG = """\b
Exit codes: 0 done, 1 failed, 2 wrong use, 3 the tool answered with an error,
4 not found or over, 5 not allowed, 6 too many requests, 7 server unreachable,
124 no answer in time, 130 Ctrl-C, 141 the reader has gone, 143 SIGTERM.

\b
The server is --url, --profile, WAYPOST_URL, or the default profile. An app key
is in WAYPOST_APP_KEY or the profile; @FILE stands for a code or id in a file."""


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from waypost._core.connecting import version

        click.echo(f"waypost {version()}")
        ctx.exit()


@click.group(cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """Calls tools in an open browser tab, offers commands as tools, and chats."""
