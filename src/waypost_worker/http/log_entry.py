"""Entries of the operator's log. They may contain text from outside, which must neither forge another entry nor control
the terminal that shows it."""

import re

CONTINUED = "    "
"""Indents every line of an entry but its first: so a line that begins with `[` always begins an entry."""

# As Cloudflare writes it: https://developers.cloudflare.com/fundamentals/reference/cloudflare-ray-id/. Without
# Cloudflare in front, a client can send anything.
_RAY = re.compile(r"[0-9a-f]{16}(?:-[A-Z]{3})?")


def ray_of(header: str | None) -> str | None:
    """`header`, the value of `cf-ray`, if it has the form of a Ray ID; otherwise `None`."""
    return header if header is not None and _RAY.fullmatch(header) else None


def log_entry(request_id: str, text: str) -> str:
    """`text`, prefixed with the request's id. Characters that are not printable are escaped, except line breaks."""
    lines = ("".join(map(_visible, line)) for line in text.rstrip("\n").split("\n"))
    return f"[{request_id}] " + f"\n{CONTINUED}".join(lines)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
