"""The memory of an isolate, from workerd's inspector; and of the whole process, from the system."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from bench.measure.processes import usage
from bench.subjects.workerd import Workerd
from tools.local.local_worker import ROOT

NODE = ROOT / "node_modules" / ".bin" / "node"
INSPECTOR = ROOT / "bench" / "inspector.mjs"
MEBIBYTE = 1024 * 1024
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Memory:
    """In MiB: the isolate's heaps (JavaScript's, and Python's, which never shrinks), and what workerd takes in all."""

    isolate: float
    resident: float


def memory_of(workerd: Workerd, service: str) -> Memory:
    """How much the isolate of `service` holds now."""
    asked = [str(NODE), str(INSPECTOR), str(workerd.inspector), service, "memory"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    heaps = json.loads(done.stdout)
    resident = usage(workerd.group, "workerd").resident_bytes
    return Memory((heaps["javascript"] + heaps["wasm"]) / MEBIBYTE, resident / MEBIBYTE)
