"""What the figures were measured on and with: without it they say nothing."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from tools.local.local_worker import ROOT

CPU_INFO = Path("/proc/cpuinfo")


def described() -> dict[str, object]:
    """Date, versions and machine, as they are written into the results."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": {
            "workerd": _npm_version("workerd"),
            "wrangler": _npm_version("wrangler"),
            "pyodide": _npm_version("pyodide"),
            "python": platform.python_version(),
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
        },
    }


def load_average() -> float:
    """How many processes wanted to run, over the last minute."""
    return round(os.getloadavg()[0], 2)


def _npm_version(package: str) -> str:
    manifest = json.loads((ROOT / "node_modules" / package / "package.json").read_text())
    version: str = manifest["version"]
    return version


def _cpu_name() -> str:
    if not CPU_INFO.is_file():
        return platform.processor() or "unknown"
    lines = (line.partition(":") for line in CPU_INFO.read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "model name"), "unknown")
