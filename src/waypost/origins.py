"""Whether a browser's request was made by a page that may make it.

A page of another origin can't read what is answered here, but without this check it could have things done: a request
without a body needs no preflight. What is looked at, and in which order, is what Go's net/http does against cross-site
request forgery: https://pkg.go.dev/net/http#CrossOriginProtection. Programs send neither field, and are not browsers
that somebody else's page can use.
"""

from urllib.parse import urlsplit

from waypost.errors import OriginNotAllowed
from waypost.http import Request

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1"""


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
    # Older browsers, and those on plain HTTP, send the origin alone. Its scheme is not compared: behind a proxy that
    # ends TLS this service sees another one than the browser.
    if site is None and (origin is None or _is_of(origin, request.headers.get("host"))):
        return
    raise OriginNotAllowed("Pages of this origin may not call here; ALLOWED_ORIGINS names those that may.")


def _is_of(origin: str, host: str | None) -> bool:
    try:
        # A sandboxed page has the origin "null", and so no host.
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:
        return False
