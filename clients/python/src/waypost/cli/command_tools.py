"""A command line as a tool: arguments in, result out.

The command gets the arguments as JSON on stdin, and each as `WAYPOST_ARG_name`. They are never put into its text, so
that a caller can't write shell. What it prints is the result: JSON if it is an object or a list, otherwise text. A line
`::progress JSON` reports progress. An exit status other than 0 is an error, with what it wrote to stderr."""

from __future__ import annotations

import asyncio
import json
import re
from asyncio import StreamReader
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from waypost._core.plain_json import Unsendable, to_json
from waypost.cli.processes import end, start
from waypost.errors import ToolError
from waypost.host.call import Call
from waypost.host.results import MAX_RESULT_BYTES

MAX_STDERR = 4000
"""Characters of stderr that a caller sees: the last ones."""

_PROGRESS = b"::progress "
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]+")
_MAX_VARIABLE_BYTES = 64 * 1024
"""Linux takes 128 KiB; longer ones are on stdin only."""


def command_tool(command: str, required: list[str]) -> Callable[..., Awaitable[Any]]:
    """A function for `Host.tool()` that runs `command`. `required`: arguments without which it does not run."""

    # The arguments are taken from the call: one of them may have the name of this parameter.
    async def run_command(call: Call, **_arguments: Any) -> Any:
        arguments = call.args
        missing = [name for name in required if name not in arguments]
        if missing:
            raise ToolError("invalid_arguments", f"The argument {missing[0]} is missing.")
        process = await start(command, variables=_variables(arguments), limit=MAX_RESULT_BYTES, errors=True)
        try:
            ran = await _ran(process, to_json(arguments), call)
        except BaseException:
            # One that has ended by itself may leave something running on purpose; one that was cut short may not.
            await asyncio.shield(end(process))
            raise
        if ran.status != 0:
            how = f"ended with status {ran.status}" if ran.status > 0 else f"was ended by signal {-ran.status}"
            message = f"The command {how}." + (f" {ran.complaint}" if ran.complaint else "")
            raise ToolError("command_failed", message, {"status": ran.status})
        return _value(ran.printed)

    return run_command


class _Ran(NamedTuple):
    printed: str
    status: int
    complaint: str


async def _ran(process: Process, arguments: bytes, call: Call) -> _Ran:
    assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - `start` makes them
    errors = asyncio.ensure_future(_tail(process.stderr))
    try:
        _write(process, arguments)
        printed = await _read(process.stdout, call)
        return _Ran(printed, await process.wait(), await errors)
    finally:
        errors.cancel()


def _write(process: Process, arguments: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - `start` makes it
    # A command that does not read it ends before it is written, which is no fault: so nothing waits for it.
    process.stdin.write(arguments)
    process.stdin.close()


async def _read(stdout: StreamReader, call: Call) -> str:
    lines: list[bytes] = []
    size = 0
    while True:
        try:
            line = await stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError as last:
            line = last.partial
        except asyncio.LimitOverrunError as error:
            raise _too_large() from error
        if not line:
            return b"".join(lines).decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n")
        if line.startswith(_PROGRESS):
            _report(line[len(_PROGRESS) :].decode("utf-8", "replace").strip(), call)
            continue
        size += len(line)
        if size > MAX_RESULT_BYTES:
            raise _too_large()
        lines.append(line)


def _report(text: str, call: Call) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        value = {"message": text}
    try:
        call.progress(value)
    except Unsendable as error:
        raise ToolError("command_failed", f"What the command reports can't be sent. {error}") from error


def _too_large() -> ToolError:
    return ToolError("answer_too_large", f"The command printed more than {MAX_RESULT_BYTES // 1024**2} MiB.")


async def _tail(stderr: StreamReader) -> str:
    tail = b""
    while chunk := await stderr.read(64 * 1024):
        tail = (tail + chunk)[-4 * MAX_STDERR :]
    return tail.decode("utf-8", "replace").strip()[-MAX_STDERR:]


def _value(printed: str) -> Any:
    if printed.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(printed)
        except (ValueError, RecursionError):
            return printed
    return printed


def _variables(arguments: dict[str, Any]) -> dict[str, str]:
    variables = {}
    for name, value in arguments.items():
        text = value if isinstance(value, str) else to_json(value).decode()
        # Others have names that no shell can read, or are too long for the system.
        if _VARIABLE_NAME.fullmatch(name) and "\0" not in text and len(text.encode()) <= _MAX_VARIABLE_BYTES:
            variables[f"WAYPOST_ARG_{name}"] = text
    return variables
