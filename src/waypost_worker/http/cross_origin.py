"""Refuses requests that a browser sends for a page of another origin (cross-site request forgery).

Such a page can't read the reply, but without this check its request would take effect: a request without a body needs
no preflight, and an image whose URL contains a wrong code would count as a guess of the person who views the page. The
header fields and their order are those of Go's net/http: https://pkg.go.dev/net/http#CrossOriginProtection. Programs
other than browsers send neither field, and no page can make them send a request.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from waypost_worker.errors import OriginNotAllowed
from waypost_worker.http.messages import Request

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1"""


def is_navigation(request: Request) -> bool:
    """Whether a person opens the address in a window of its own, for example by a link on any site."""
    headers = request.headers
    is_window = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return is_window and request.method in SAFE


def require_known_origin(request: Request, allowed: frozenset[str]) -> None:
    """Passes if no browser sent `request`, or a page of this origin or of one of `allowed` did.

    Raises:
        OriginNotAllowed: a page of another origin sent it.
    """
    origin = request.headers.get("origin")
    if origin in allowed:
        return
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    # Older browsers, and those on plain HTTP, send the origin alone. Any https origin of this host passes: behind a
    # proxy that ends TLS, this service sees another scheme than the browser.
    if site is None and (origin is None or _is_of(origin, request.headers.get("host"))):
        return
    raise OriginNotAllowed("Pages of this origin may not call this API; ALLOWED_ORIGINS lists the origins that may.")


def _is_of(origin: str, host: str | None) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A sandboxed page has the origin "null", which has no host.
    return bool(host) and parts.netloc == host and (parts.scheme == "https" or _is_near(parts.hostname or ""))


def _is_near(name: str) -> bool:
    """Whether `name` is a local name or an address. A public name could point to this machine, and a page under it
    would then be of "this origin" for its browser (DNS rebinding): a public name must have a certificate (https).
    """
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local"))
    return True
