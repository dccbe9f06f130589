"""Times on a command line: `90`, `90s`, `15m`, `1h`."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """Seconds, from a number with or without a unit."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd]?)", str(value).strip())
        if found is None or float(found[1]) == 0:
            self.fail(f"{value!r} is no time: write 90, 90s, 15m or 1h.", param, ctx)
        return float(found[1]) * _UNITS[found[2]]
