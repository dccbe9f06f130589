"""Where a request runs: Cloudflare adds the header field `cf-placement` to the requests of a Worker that is placed.

`remote-IAD`: the request was passed on to the place, near that airport. `local-FRA`: it ran where it came in.
https://developers.cloudflare.com/workers/configuration/placement/#cf-placement-header
"""

import re

from waypost_worker.http.messages import Headers

# Cloudflare may change what it writes there; without Cloudflare in front, a client can send anything.
_PLACEMENT = re.compile(r"[A-Za-z0-9-]{1,32}")


def placement_of(headers: Headers) -> str | None:
    """The value of `cf-placement`; `None` if there is none, or not one of letters, digits and hyphens."""
    value = headers.get("cf-placement")
    return value if value is not None and _PLACEMENT.fullmatch(value) else None
