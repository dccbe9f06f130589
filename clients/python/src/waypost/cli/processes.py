"""Programs that a host starts: in a group of their own, so that what they start ends with them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping

END_SECONDS = 2.0
"""How long a program may take to end when it is asked to."""

_SECRETS = ("WAYPOST_APP_KEY",)


async def start(command: str, *, variables: Mapping[str, str] | None = None, limit: int, errors: bool) -> Process:
    """Starts a command line of the shell. It gets this process's environment without the app key. `limit`: bytes of
    its longest line. `errors`: whether its stderr is read; otherwise it is this process's."""
    environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return await asyncio.create_subprocess_shell(
        command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE if errors else None,
        env=environment | dict(variables or {}),
        limit=limit,
        # Ctrl-C in the terminal is the host's, which lets what runs come to its end.
        start_new_session=True,
    )


async def end(process: Process) -> None:
    """Ends a program and what it started, also if the caller is cancelled meanwhile."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        _signal(process, signal.SIGTERM)
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        pass
    finally:
        # What ignored the first one, or was started by a program that has ended.
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    await process.wait()
    # A loop that closes before its pipes do complains when they are collected.
    process._transport.close()  # type: ignore[attr-defined]
    await asyncio.sleep(0.01)


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, number)
        elif process.returncode is None:
            process.terminate()
