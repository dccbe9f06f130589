"""Where the runtime takes what is recorded of requests: its console, and a dataset of Analytics Engine."""

from typing import Any

import js
from pyodide.ffi import JsException

from waypost_worker.version import DeployedVersion


class CloudflareSinks:
    """The sinks of a Worker. `dataset`: the binding, or `None`."""

    def __init__(self, dataset: Any, deployed: DeployedVersion | None) -> None:
        self.has_points = dataset is not None
        self.version = "" if deployed is None else deployed.id
        # Looked up once: the look-up in two steps costs more than the call.
        self._parse = js.JSON.parse
        self._log = js.console.log
        self._error = js.console.error
        self._write_point = None if dataset is None else dataset.writeDataPoint

    def write_line(self, line: str, *, is_error: bool, is_on_platform: bool) -> None:
        write = self._error if is_error else self._log
        write(self._parse(line) if is_on_platform else line)

    def write_point(self, point: str) -> None:
        if self._write_point is None:
            return
        try:
            self._write_point(self._parse(point))
        except JsException as error:
            # More points than an invocation may write, or a fault of the dataset: the request itself has been served.
            self._error(f"a data point was not written: {error}")


def deployed_version(metadata: Any) -> DeployedVersion | None:
    """What the binding `metadata` says; `None` if there is none."""
    if metadata is None:
        return None
    return DeployedVersion(str(metadata.id), str(metadata.tag or ""), str(metadata.timestamp))
