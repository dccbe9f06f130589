"""What a tool may know of the call that it answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from waypost._core.plain_json import Unsendable, to_json

MAX_PROGRESS_BYTES = 250 * 1024
"""The largest report that the server takes, less some room for its request."""


class Call:
    """A call. A parameter of a tool that is annotated with this class gets it.

    `id`: the same for each delivery. `restarted`: it may have begun before, here or in another process, so its effects
    may be there. `reports`: how often progress was reported. `traceparent`, `tracestate`: the caller's trace, if it has
    one."""

    def __init__(
        self,
        id: str,
        tool: str,
        args: dict[str, Any],
        *,
        restarted: bool = False,
        traceparent: str | None = None,
        tracestate: str | None = None,
        report: Callable[[bytes], None] = lambda _report: None,
    ) -> None:
        self.id = id
        self.tool = tool
        self.args = args
        self.restarted = restarted
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.reports = 0
        self._report = report
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether nothing waits for the result any more. A function in a thread can't be stopped: it looks at this."""
        return self._cancelled.is_set()

    def progress(self, value: Any) -> None:
        """Reports progress to the caller: any JSON of at most 250 KiB, such as `{"progress": 3, "total": 10}`, which
        MCP clients show. Returns immediately; of reports that wait, the last one is sent. From any thread.

        Raises:
            Unsendable: it is not JSON, or too large.
        """
        report = to_json(value)
        if len(report) > MAX_PROGRESS_BYTES:
            raise Unsendable(f"A report of progress has at most {MAX_PROGRESS_BYTES} bytes of JSON.")
        if not self.cancelled:
            self.reports += 1
            self._report(report)

    def cancel(self) -> None:
        """Marks it as cancelled; the host does this."""
        self._cancelled.set()
