"""Entries of the operator's log. Part of what they say may have come from outside: it must neither begin an entry of
its own nor command the terminal on which it is read."""

import re

CONTINUED = "    "
"""What each line of an entry begins with, except its first: so one that begins with `[` is no forgery."""

# As Cloudflare writes it: https://developers.cloudflare.com/fundamentals/reference/cloudflare-ray-id/. Where nothing of
# Cloudflare's stands in front, anybody can send anything.
_RAY = re.compile(r"[0-9a-f]{16}(?:-[A-Z]{3})?")


def ray_of(header: str | None) -> str | None:
    """The value of a `cf-ray` field, if it is one."""
    return header if header is not None and _RAY.fullmatch(header) else None


def log_entry(request_id: str, text: str) -> str:
    """`text`, marked with its request; whatever in it can't be seen, line breaks excepted, is written as an escape."""
    lines = ("".join(map(_visible, line)) for line in text.rstrip("\n").split("\n"))
    return f"[{request_id}] " + f"\n{CONTINUED}".join(lines)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
