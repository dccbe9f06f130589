"""`waypost call`: calls a tool."""

from __future__ import annotations

import click

from waypost.cli.arguments import read_arguments
from waypost.cli.durations import Duration
from waypost.cli.options import Invocation, Secret, verb


@click.command()
@click.argument("code", type=Secret())
@click.argument("tool")
@click.argument("words", metavar="[NAME=TEXT|NAME:=JSON]...", nargs=-1)
@click.option("--args", "whole", metavar="JSON", help="All arguments as one object; @FILE, or - for stdin.")
@click.option("--timeout", type=Duration(), default=300.0, help="How long to wait for the answer.  [300s]")
@click.option("--id", "call_id", metavar="ID", help="The same id is the same call: it goes on waiting for its answer.")
@click.option("--cancel-on-timeout", is_flag=True, help="Take the call back if no answer comes in time.")
@verb
async def call(
    use: Invocation,
    code: str,
    tool: str,
    words: tuple[str, ...],
    whole: str | None,
    timeout: float,
    call_id: str | None,
    cancel_on_timeout: bool,
) -> None:
    """Calls TOOL of the session CODE, and prints its result.

    CODE is a code, a link, or @FILE. The call runs once, also if the network fails on the way. Ctrl-C takes it back.

    \b
    waypost call K7Q2M9XA add a:=1 b:=2
    waypost call @code.txt note text=@notes.md
    echo '{"a": 1, "b": 2}' | waypost call K7Q2M9XA add --args -
    """
    from waypost._core.ids import new_id
    from waypost.errors import CallTimeout

    arguments = read_arguments(words, whole)
    call_id = call_id or new_id()
    async with use.client(code) as client:
        guest = await use.join(client, code)
        try:
            result = await guest.call(tool, arguments, id=call_id, timeout=timeout, on_progress=use.out.progress)
        except CallTimeout:
            if cancel_on_timeout:
                await guest.cancel(call_id)
                use.out.note("The call was taken back.")
            else:
                use.out.note(f"To go on waiting: the same command with --id {call_id}")
            raise
    use.out.result(result)
