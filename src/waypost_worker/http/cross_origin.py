"""Whether a browser's request was made by a page that may make it.

A page of another origin can't read what is answered here, but without this check it could have things done: a request
without a body needs no preflight, and a picture whose address is a wrong code would be a guess of whoever looks at it.
What is looked at, and in which order, is what Go's net/http does against cross-site request forgery:
https://pkg.go.dev/net/http#CrossOriginProtection. Programs send neither field, and are not browsers that somebody
else's page can use.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from waypost_worker.errors import OriginNotAllowed
from waypost_worker.http.messages import Request

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1"""


def is_navigation(request: Request) -> bool:
    """Whether somebody opens the address in a window of its own: by a link, say, wherever that stands."""
    headers = request.headers
    is_window = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return is_window and request.method in SAFE


def require_known_origin(request: Request, allowed: frozenset[str]) -> None:
    """Pass if `request` is no browser's, or a page of this origin or of one of `allowed` made it.

    Raises:
        OriginNotAllowed: a page of another origin did.
    """
    origin = request.headers.get("origin")
    if origin in allowed:
        return
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    # Older browsers, and those on plain HTTP, send the origin alone. https is believed: behind a proxy that ends TLS
    # this service sees another scheme than the browser.
    if site is None and (origin is None or _is_of(origin, request.headers.get("host"))):
        return
    raise OriginNotAllowed("Pages of this origin may not call here; ALLOWED_ORIGINS names those that may.")


def _is_of(origin: str, host: str | None) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A sandboxed page has the origin "null", and so no host.
    return bool(host) and parts.netloc == host and (parts.scheme == "https" or _is_near(parts.hostname or ""))


def _is_near(name: str) -> bool:
    """Whether `name` can't be one that somebody has made to point at this machine, so that a page of theirs is of "this
    origin" to its browser (DNS rebinding). A name that is resolved all over the world has a certificate, or is refused.
    """
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local"))
    return True
