"""A client of an MCP server that is a program: JSON-RPC, one message a line, over its stdin and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from waypost._core.connecting import version
from waypost._core.plain_json import Unsendable, to_json
from waypost.cli.processes import end, start
from waypost.errors import ConfigError, ToolError

PROTOCOL = "2025-11-25"
START_SECONDS = 60.0
"""`npx` and `uvx` may have to download the server first."""
MAX_LINE_BYTES = 16 * 1024 * 1024

_METHOD_NOT_FOUND = -32601


class StdioServer:
    """A running server. `on_tools_changed`: called when it says that its tools have changed."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._progress: dict[int, Callable[[Any], None]] = {}
        self._last_id = 0
        self.gone = asyncio.Event()
        self.on_tools_changed: Callable[[], None] = lambda: None

    async def __aenter__(self) -> StdioServer:
        self._process = await start(self._command, limit=MAX_LINE_BYTES, errors=False)
        self._reader = asyncio.ensure_future(self._read())
        try:
            async with asyncio.timeout(START_SECONDS):
                client = {"name": "waypost", "version": version()}
                await self.request(
                    "initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client}
                )
            self._send({"method": "notifications/initialized"})
        except (ToolError, TimeoutError) as error:
            await self._close()
            why = "says nothing" if isinstance(error, TimeoutError) else f"can't be used: {error}"
            raise ConfigError("mcp_server_failed", f"The MCP server {self._command!r} {why}.") from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.shield(self._close())

    async def tools(self) -> list[dict[str, Any]]:
        """Its tools, all pages."""
        tools: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.request("tools/list", {"cursor": cursor} if cursor else {})
            tools += [tool for tool in page.get("tools") or [] if isinstance(tool, dict) and "name" in tool]
            cursor = page.get("nextCursor")
            if not cursor:
                return tools

    async def request(
        self, method: str, params: dict[str, Any], on_progress: Callable[[Any], None] | None = None
    ) -> dict[str, Any]:
        """The result of a request. A caller that is cancelled takes it back. Raises `ToolError`."""
        if self.gone.is_set():
            raise _gone()
        self._last_id += 1
        id = self._last_id
        if on_progress is not None:
            params = params | {"_meta": {"progressToken": id}}
            self._progress[id] = on_progress
        outcome = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            self._send({"id": id, "method": method, "params": params})
            result = await outcome
        except asyncio.CancelledError:
            if method != "initialize":
                self._send({"method": "notifications/cancelled", "params": {"requestId": id}})
            raise
        finally:
            self._waiting.pop(id, None)
            self._progress.pop(id, None)
        return result if isinstance(result, dict) else {}

    def _send(self, message: dict[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(to_json({"jsonrpc": "2.0"} | message) + b"\n")

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - it runs
        try:
            while line := await self._process.stdout.readline():
                self._receive(line)
        except ValueError:
            # A line that is longer than the limit. What follows can't be told apart.
            pass
        finally:
            self.gone.set()
            for outcome in self._waiting.values():
                if not outcome.done():
                    outcome.set_exception(_gone())

    def _receive(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            # Servers print what belongs on stderr.
            return
        if not isinstance(message, dict):
            return
        method, id = message.get("method"), message.get("id")
        params: dict[str, Any] = found if isinstance(found := message.get("params"), dict) else {}
        outcome = self._waiting.get(id) if isinstance(id, int) else None
        if method is None and outcome is not None and not outcome.done():
            if isinstance(error := message.get("error"), dict):
                outcome.set_exception(ToolError("tool_error", str(error.get("message")), error.get("data")))
            else:
                outcome.set_result(message.get("result"))
        elif method == "ping":
            self._send({"id": id, "result": {}})
        elif method is not None and id is not None:
            what = f"This client has no {method}."
            self._send({"id": id, "error": {"code": _METHOD_NOT_FOUND, "message": what}})
        elif method == "notifications/tools/list_changed":
            self.on_tools_changed()
        elif method == "notifications/progress" and (report := self._progress.get(params.get("progressToken") or 0)):
            # A report that is too large is left out; the next one, or the result, says more.
            with contextlib.suppress(Unsendable):
                report({name: value for name, value in params.items() if name != "progressToken"})

    async def _close(self) -> None:
        if self._process is not None:
            await end(self._process)
        if self._reader is not None:
            await self._reader


def _gone() -> ToolError:
    return ToolError("mcp_server_gone", "The MCP server behind this tool has ended.")
