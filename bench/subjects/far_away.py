"""Waypost, a JavaScript Worker and FastAPI with Redis, each with a store that is as far away as the platform's."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.subjects.model import ModelService
from bench.subjects.packages import BootstrapError
from bench.subjects.peers import STORE_THEN_DELIVER, WAYPOST, store_then_deliver_project
from bench.subjects.redis_stack import RedisStack, missing
from tools.local.harness.project import copy_project
from tools.local.harness.slow_kv import PLATFORM, SlowKvWorkers, constant

REDIS = "FastAPI + Redis, as far away"

REDIS_ONE_WAY_SECONDS = PLATFORM["get"].median / 2000
"""Half of what a `get` of KV takes: Redis there and back is as far away as KV's cache."""


class FarAway:
    """All of them, with one model's service, while the context is open; projects are made in `folder`. `ports`: where
    each is called; the header `X-Worker` says which Worker. `why_no_redis`: empty if there is one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._redis: RedisStack | None = None
        self.why_no_redis = ""
        self.ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        try:
            model = self._stack.enter_context(ModelService())
            projects = {
                "waypost": copy_project(self._folder / "waypost"),
                "javascript": store_then_deliver_project(self._folder),
            }
            variables = {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "m", "MODEL_PROVIDER": "openai"}
            self._workers = self._stack.enter_context(SlowKvWorkers(self._folder / "front", projects, **variables))
            self.ports = dict.fromkeys((WAYPOST, STORE_THEN_DELIVER), self._workers.port)
            self._start_redis(model.url)
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start_redis(self, model_url: str) -> None:
        self.why_no_redis = missing()
        if self.why_no_redis:
            return
        try:
            self._redis = self._stack.enter_context(RedisStack(one_way_seconds=0, model_url=model_url))
            self.ports[REDIS] = self._redis.port
        except BootstrapError as problem:
            self.why_no_redis = f"its packages can't be installed: {str(problem)[-300:]}"

    def slow_down(self, seconds: float | None = None) -> None:
        """Lets each operation of KV and Redis take `seconds` from now on; by default as long as the platform's."""
        self._workers.set_latencies(PLATFORM if seconds is None else constant(seconds * 1000))
        if self._redis and self._redis.link:
            self._redis.link.one_way_seconds = REDIS_ONE_WAY_SECONDS if seconds is None else seconds / 2

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
