"""A tab as another process: `Host` of waypost.js in Node, controlled and watched from here."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.node_tests import NODE

PROGRAM = Path(__file__).parent / "tab.mjs"
PATIENCE_SECONDS = 120.0

Event = dict[str, Any]


class Tab:
    """A tab of the Worker at `url`, online inside `with`; `more` names a file with further tools."""

    def __init__(self, url: str, more: str | None = None) -> None:
        self.url = url
        self._arguments = [url] if more is None else [url, more]
        self.code = ""
        self.host_token = ""
        self.session_id = ""
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)

    @property
    def mcp_url(self) -> str:
        """Where an MCP client goes."""
        return self.mcp_url_at(self.url)

    def mcp_url_at(self, url: str) -> str:
        """The same, if the Worker is reached at `url`."""
        return f"{url}/mcp/{self.code}"

    def runs(self, tool: str) -> list[Event]:
        """The requests for `tool` that it has begun, each once."""
        return [event for event in self.events if event.get("tool") == tool and not event.get("repeat")]

    def wait(self, holds: Callable[[Event], bool], count: int = 1) -> Event:
        """The latest of `count` events for which `holds`."""
        with self._news:
            found: list[Event] = []

            def look() -> bool:
                found[:] = [event for event in self.events if holds(event)]
                return len(found) >= count

            if not self._news.wait_for(look, PATIENCE_SECONDS):
                raise AssertionError(f"the tab has seen only {self.events}")
            return found[-1]

    def wait_asked(self, tool: str, count: int = 1) -> Event:
        """Wait until it was asked for `tool` so many times."""
        return self.wait(lambda event: event["event"] == "request" and event["tool"] == tool, count)

    def wait_cancelled(self, request: Event) -> None:
        """Waits until the tab gets the call's cancellation."""
        self.wait(lambda event: event["event"] == "cancel" and event["id"] == request["id"])

    def tell(self, *command: str) -> None:
        """Have it do something: `release`, `offer` with a name, `leave`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [NODE, PROGRAM, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader.start()
        online = self.wait(lambda event: event["event"] == "online")
        self.code, self.host_token, self.session_id = online["code"], online["hostToken"], online["sessionId"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self._reader.join()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()
