"""An agent at a tab: the official MCP client of the TypeScript SDK, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from tests.support.node_tests import NODE
from tools.local.local_worker import ROOT

SCRIPT = Path(__file__).with_name("agent.mjs")
PATIENCE_SECONDS = 120


class Agent:
    """A context manager; connected to the MCP server `url` while inside."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._arguments = [url] if token is None else [url, token]
        self._next = 0
        self._heard: Queue[dict[str, Any]] = Queue()
        self._done: dict[int, dict[str, Any]] = {}
        self.told: dict[int, list[str]] = {}
        """The progress of each call."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [NODE, SCRIPT, *self._arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()

    def tools(self) -> dict[str, dict[str, Any]]:
        """The tools it is given, by name."""
        return {tool["name"]: tool for tool in self.wait(self._send("list"))["result"]}

    def call(self, name: str, /, **args: Any) -> dict[str, Any]:
        """The result of a call; fails for an error of the protocol."""
        done = self.wait(self.start(name, **args))
        assert "result" in done, done
        result: dict[str, Any] = done["result"]
        return result

    def text(self, name: str, /, **args: Any) -> str:
        """The text of a call's result."""
        content = self.call(name, **args)["content"]
        return str(content[0]["text"])

    def start(self, tool: str, /, **args: Any) -> int:
        """Begin a call; `wait` for its end."""
        return self._send("call", tool=tool, args=args)

    def cancel(self, call: int) -> None:
        """Cancel a call that has begun."""
        self.wait(self._send("cancel", call=call))

    def wait(self, number: int) -> dict[str, Any]:
        """What became of it: `result` or `error`."""
        while number not in self._done:
            try:
                self._take(self._heard.get(timeout=PATIENCE_SECONDS))
            except Empty:
                raise AssertionError("the client says nothing more") from None
        return self._done[number]

    def wait_told(self, call: int, text: str) -> None:
        """Wait until the progress `text` of a call has arrived."""
        while text not in self.told.get(call, []):
            self._take(self._heard.get(timeout=PATIENCE_SECONDS))

    def _send(self, deed: str, **more: Any) -> int:
        self._next += 1
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": self._next, "do": deed, **more}) + "\n")
        self._process.stdin.flush()
        return self._next

    def _take(self, line: dict[str, Any]) -> None:
        if "progress" in line:
            self.told.setdefault(line["id"], []).append(line["progress"])
        else:
            self._done[line["id"]] = line

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._heard.put(json.loads(line))
