"""workerd without wrangler: several Workers in one process, each on a port of its own, none with a store.

So the subject and its references share the very same runtime, and no proxy of wrangler's stands before either. Rate
limits are bound, as in production, to counters that never refuse; Waypost keeps everything in the isolate's memory.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.local.harness.worker import free_port
from tools.local.local_worker import LOCAL_FLAGS, ROOT, WORKERD_WRAPPER, Launch
from tools.local.running import LocalWorkerError, Running, answers
from waypost_worker.security.rate_limits import Limit

REFERENCE = ROOT / "bench" / "reference"
START_SECONDS = 120.0

COUNTER = """export default function () {
  const counts = new Map();
  return {
    async limit({ key }) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: true };
    },
  };
}"""
"""A rate limit that counts and never refuses."""


@dataclass(frozen=True)
class Service:
    """One Worker: its modules by name, and its text bindings. `limits`: the bindings that count. `flags`: what a Python
    Worker is run with."""

    name: str
    modules: Mapping[str, Path]
    variables: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    flags: tuple[str, ...] = LOCAL_FLAGS


def waypost(name: str = "waypost", **variables: str) -> Service:
    """The Worker of this project, without its namespace."""
    source = ROOT / "src"
    modules = {"entry.py": source / "entry.py"} | _tree(source / "waypost_worker", "waypost_worker/") | _packages()
    # Without a plan set, it would keep to the free one.
    ours = {"SIGNING_KEY": secrets.token_urlsafe(32), "PLAN": "paid"}
    return Service(name, modules, ours | variables, tuple(limit.value for limit in Limit))


def python_reference(name: str, packages: Path | None = None) -> Service:
    """The Worker in bench/reference/{name}, with the SDK and what is in `packages`."""
    modules = {"entry.py": REFERENCE / name / "entry.py"} | _packages()
    return Service(name, modules | (_tree(packages, "python_modules/") if packages else {}))


def javascript_reference(name: str) -> Service:
    """The Worker in bench/reference/{name}."""
    return Service(name, {"worker.js": REFERENCE / name / "worker.js"})


def _packages() -> dict[str, Path]:
    return _tree(ROOT / "python_modules", "python_modules/")


def _tree(folder: Path, prefix: str) -> dict[str, Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {f"{prefix}{path.relative_to(folder)}": path for path in files if path.suffix not in (".pyc", ".pyi")}


def configuration(services: Sequence[Service], ports: Mapping[str, int]) -> str:
    """The configuration of workerd, in its own language."""
    workers = ",\n".join(map(_worker, services))
    sockets = ",\n".join(
        f'(name = "{name}", address = "127.0.0.1:{port}", http = (), service = "{name}")'
        for name, port in ports.items()
    )
    limit = f'(name = "bench:limit", internal = true, esModule = {json.dumps(COUNTER)})'
    return (
        'using Workerd = import "/workerd/workerd.capnp";\n'
        f"const config :Workerd.Config = (services = [{workers}],\nsockets = [{sockets}],\n"
        f"extensions = [(modules = [{limit}])]);\n"
    )


def _worker(service: Service) -> str:
    modules = ", ".join(
        f'(name = "{name}", {_kind(name)} = embed "{path.resolve()}")' for name, path in service.modules.items()
    )
    is_python = "entry.py" in service.modules
    flags = ", ".join(f'"{flag}"' for flag in service.flags) if is_python else ""
    texts = [f'(name = "{name}", text = {json.dumps(value)})' for name, value in service.variables.items()]
    limits = [f'(name = "{name}", wrapped = (moduleName = "bench:limit"))' for name in service.limits]
    return (
        f'(name = "{service.name}", worker = (modules = [{modules}], compatibilityDate = "2026-11-17",'
        f" compatibilityFlags = [{flags}], bindings = [{', '.join(texts + limits)}]))"
    )


def _kind(name: str) -> str:
    if name.endswith(".py"):
        return "pythonModule"
    return "esModule" if name == "worker.js" else "data"


@dataclass(frozen=True)
class _Launch(Launch):
    config: Path = Path()
    inspector: int = 0
    serve: tuple[str, ...] = ()

    def command(self) -> list[str]:
        # Absolute paths of files that are embedded are looked up below an import path.
        line = [*self.serve, "--experimental", "-I/"]
        return [*line, *([f"-i127.0.0.1:{self.inspector}"] if self.inspector else []), str(self.config)]


class Workerd:
    """A running workerd with `services`; a context manager. `ports` has the port of each by its name. `serve` is the
    command that starts it."""

    def __init__(
        self,
        *services: Service,
        has_inspector: bool = False,
        serve: Sequence[str] = (str(WORKERD_WRAPPER), "serve"),
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="waypost-bench-"))
        self.ports = {service.name: free_port() for service in services}
        self.inspector = free_port() if has_inspector else 0
        config = self._folder / "config.capnp"
        config.write_text(configuration(services, self.ports))
        self._launch = _Launch(
            next(iter(self.ports.values())),
            self._folder,
            config=config,
            inspector=self.inspector,
            serve=tuple(serve),
        )
        self.running: Running | None = None

    @property
    def group(self) -> int:
        """Its process group."""
        if self.running is None:
            raise LocalWorkerError("workerd was never started")
        return self.running.group

    @property
    def log(self) -> Path:
        """What it printed."""
        return self._folder / "workerd.log"

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.running = Running(self._launch, log)
        try:
            for port in self.ports.values():
                self._wait_for(port, self.running)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_for(self, port: int, running: Running) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"http://127.0.0.1:{port}/health"):
            if time.monotonic() > deadline or not running.is_running():
                raise LocalWorkerError(f"workerd did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and remove its files. May be called again."""
        if self.running is not None:
            self.running.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
