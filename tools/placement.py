"""Where a deployment runs: the region of `[placement]` in wrangler.toml, or another one for a single deployment."""

from __future__ import annotations

import re
import tomllib

NOWHERE = ("", "none")
"""The regions that mean: not placed, each request runs where it comes in."""

_REGION = re.compile(r"(?:aws|gcp|azure):[a-z0-9]+(?:-[a-z0-9]+)*")
_TABLE = re.compile(r"^\[placement\]\n(?:(?!\[).*\n)*", re.MULTILINE)
_LINE = re.compile(r"^region *=.*$", re.MULTILINE)


class PlacementError(Exception):
    """The region, or the configuration, is not what is expected; the message is a sentence that says what to do."""


def placement_of(config: str) -> str | None:
    """Return the region in the text of a wrangler.toml; None where it places nothing."""
    region: str | None = tomllib.loads(config).get("placement", {}).get("region")
    return region


def _placement_in(config: str) -> object:
    try:
        return tomllib.loads(config).get("placement")
    except tomllib.TOMLDecodeError:
        return "twice"


def placed(config: str, region: str) -> str:
    """Return the text of the wrangler.toml `config` with this region, or without one where it is of `NOWHERE`.

    Raises:
        PlacementError: the region has not the form of one, or the file sets its placement in another way than here.
    """
    if region in NOWHERE:
        changed = _TABLE.sub("", config)
    elif _REGION.fullmatch(region) is None:
        raise PlacementError(
            f"REGION={region} is not a region: name one of a cloud (aws:eu-central-1, gcp:europe-west3, "
            "azure:westeurope), or none."
        )
    elif (table := _TABLE.search(config)) and _LINE.search(table[0]):
        line = _LINE.sub(f'region = "{region}"', table[0])
        changed = config[: table.start()] + line + config[table.end() :]
    else:
        changed = f'{config.rstrip()}\n\n[placement]\nregion = "{region}"\n'
    if _placement_in(changed) != (None if region in NOWHERE else {"region": region}):
        raise PlacementError(
            "wrangler.toml sets its placement in another way than by a table [placement] with a region: change it "
            "there, and leave REGION out."
        )
    return changed
