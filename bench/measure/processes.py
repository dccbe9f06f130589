"""What a running server takes of the machine: CPU seconds and resident memory of its process group."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """Of all processes of a group, or of those of one name among them."""

    cpu_seconds: float
    resident_bytes: int


def usage(group: int, name: str = "") -> Usage:
    """What the process group has used so far; `name` counts only processes whose command begins with it.

    Linux tells in hundredths of a second; elsewhere `ps` is asked, whose CPU time may be as coarse as a second.
    """
    return _from_proc(group, name) if PROC.is_dir() else _from_ps(group, name)


def _from_proc(group: int, name: str) -> Usage:
    ticks = resident = 0
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        # The command stands in brackets and may hold blanks.
        command, _, rest = stat.partition("(")[2].rpartition(")")
        fields = rest.split()
        if int(fields[2]) == group and command.startswith(name):
            ticks += int(fields[11]) + int(fields[12])
            resident += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), resident)


def _from_ps(group: int, name: str) -> Usage:
    line = ["ps", "-A", "-o", "pgid=,rss=,time=,comm="]
    listed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    seconds = 0.0
    resident = 0
    for row in listed.splitlines():
        pgid, kilobytes, clock, command = row.split(None, 3)
        if int(pgid) == group and os.path.basename(command).startswith(name):
            seconds += seconds_of(clock)
            resident += int(kilobytes) * 1024
    return Usage(seconds, resident)


def seconds_of(clock: str) -> float:
    """The seconds that `ps` writes as [[days-]hours:]minutes:seconds."""
    days, _, rest = clock.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part)
    return total + (int(days) * 86400 if days else 0)
