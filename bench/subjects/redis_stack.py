"""FastAPI on uvicorn with Redis behind it, both on the loopback interface: the server one would build instead."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.subjects.packages import for_this_machine
from bench.subjects.slow_link import SlowLink
from bench.subjects.workerd import REFERENCE, START_SECONDS
from tools.local.harness.worker import free_port
from tools.local.local_worker import Launch
from tools.local.running import LocalWorkerError, Running


def missing() -> str:
    """Why there is no Redis here; empty if there is."""
    return (
        "" if shutil.which("redis-server") else "redis-server is not installed (Debian: apt-get install redis-server)"
    )


@dataclass(frozen=True)
class _Launch(Launch):
    words: tuple[str, ...] = ()

    def command(self) -> list[str]:
        return list(self.words)


class RedisStack:
    """A context manager; `port` is the web server's. With `one_way_seconds` Redis is so far away, over `link`;
    `model_url` is the model's service, for chats."""

    def __init__(self, *, one_way_seconds: float | None = None, model_url: str = "") -> None:
        self.port, self._redis_port = free_port(), free_port()
        self.link = None if one_way_seconds is None else SlowLink(self._redis_port, one_way_seconds)
        self._model_url = model_url
        self._folder = Path(tempfile.mkdtemp(prefix="waypost-bench-"))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        try:
            packages = for_this_machine("redis_server")
            redis = ("redis-server", "--port", str(self._redis_port), "--bind", "127.0.0.1", "--save", "")
            self._start(self._redis_port, *redis, "--appendonly", "no", "--dir", str(self._folder))
            paths = f"PYTHONPATH={packages}:{REFERENCE / 'redis_server'}"
            server = (sys.executable, "-m", "uvicorn", "app:app", "--port", str(self.port), "--log-level", "warning")
            redis_port = self._stack.enter_context(self.link).port if self.link else self._redis_port
            variables = paths, f"REDIS_PORT={redis_port}", f"OPENAI_BASE_URL={self._model_url}"
            web = self._start(self.port, "env", *variables, *server)
            if not web.wait_ready(START_SECONDS):
                raise LocalWorkerError(f"the reference with Redis did not start: {self._log.read_text()}")
        except BaseException:
            self._stack.close()
            raise
        return self

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _start(self, port: int, *words: str) -> Running:
        with self._log.open("ab") as log:
            running = Running(_Launch(port, self._folder, words=words), log)
        self._stack.callback(running.stop)
        return running

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
