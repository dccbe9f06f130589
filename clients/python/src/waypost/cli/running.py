"""Runs one command, from its arguments to its exit code. Whatever goes wrong becomes a sentence, never a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from waypost.cli import exits
from waypost.cli.output import ReaderGone, complain, to_text
from waypost.errors import WaypostError

if TYPE_CHECKING:
    from waypost._async.client import AsyncWaypost
    from waypost.cli.server import Server

MakeClient = Callable[["Server"], "AsyncWaypost"]


def run(arguments: list[str], make_client: MakeClient | None = None) -> int:
    """The exit code of the command line `arguments`. `make_client`: makes the client of a server; a test has its
    own."""
    from waypost.cli.commands import cli

    try:
        return _run(lambda: cli.main(arguments, "waypost", standalone_mode=False, obj=make_client), arguments)
    except ReaderGone:
        # The interpreter would flush again at its end, and complain.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE


def _run(main: Callable[[], Any], arguments: list[str]) -> int:
    try:
        code = main()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except WaypostError as error:
        complain(to_text(exits.as_json(error)) if "--json" in arguments else exits.as_text(error))
        return exits.exit_code(error)
    except (KeyboardInterrupt, click.Abort):
        complain("")
        return exits.INTERRUPTED
    except asyncio.CancelledError:
        return exits.TERMINATED
    except ReaderGone:
        raise
    except OSError as error:
        complain(f"{error.filename or 'The system'}: {error.strerror or error}")
        return exits.FAILED
    except Exception as error:
        if {"-v", "--verbose"} & set(arguments):
            raise
        complain(f"{type(error).__name__}: {error}\nThis is a fault of the command; -v shows where.")
        return exits.FAILED


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a command that waits. Ctrl-C and SIGTERM cancel it, so that it can take back what it asked for."""
    return asyncio.run(_cancelled_by_sigterm(work))


async def _cancelled_by_sigterm(work: Coroutine[Any, Any, Any]) -> Any:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - for the type checker: a coroutine that runs has a task
    # Windows has none, and only the main thread may set one.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
