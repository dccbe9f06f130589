"""Refuses requests that a browser sends for a page of another origin (cross-site request forgery), or under a name that
is not this service's (DNS rebinding).

Such a page can't read the reply, but without this check its request would take effect: a request without a body needs
no preflight, and an image, a prefetch or a window whose URL contains a wrong code would count as a guess of the person
who views the page. The header fields and their order are those of Go's net/http:
https://pkg.go.dev/net/http#CrossOriginProtection. Navigations are no exception: a page starts them without a click, by
speculation rules or by assigning `location` again and again. Programs other than browsers send neither field, and no
page can make them send a request.
"""

from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from waypost_worker.errors import HostNotAllowed, OriginNotAllowed
from waypost_worker.http.messages import Request
from waypost_worker.http.origins import is_allowed_host, is_allowed_origin


def require_own_host(request: Request, allowed: frozenset[str]) -> None:
    """Refuses plain HTTP under a public name, which anyone may have pointed at this machine (DNS rebinding).

    A page of `http://rebind.example` whose name now resolves to 127.0.0.1 is of "this origin" for its browser, and its
    GET has neither `Origin` nor `Sec-Fetch-Site`. Accepted are HTTPS (the name has a certificate), addresses, names
    without a dot, `.localhost`, `.local`, and the hosts of `allowed`. `X-Forwarded-Proto` proves nothing, since such a
    page can set it. `Sec-Fetch-Site` proves that the browser sees an https or localhost URL, as through a tunnel that
    ends TLS: browsers send it to no other, and no page can set it. No page can set `Origin` either, and `https` in it
    proves the same.

    Raises:
        HostNotAllowed
    """
    headers = request.headers
    if request.scheme != "http" or headers.get("sec-fetch-site") is not None:
        return
    if (headers.get("origin") or "").startswith("https://"):
        return
    name = _host_name(headers.get("host") or "localhost")
    if not (_is_near(name) or is_allowed_host(name, allowed)):
        raise HostNotAllowed(
            "Over plain HTTP this name is not accepted (DNS rebinding). Use https, localhost or an IP address, or put "
            "the origin with this name into ALLOWED_ORIGINS."
        )


def refuse_origin() -> NoReturn:
    """Raises `OriginNotAllowed`."""
    raise OriginNotAllowed("Pages of this origin may not call this API; ALLOWED_ORIGINS lists the origins that may.")


def is_from_known_origin(request: Request, allowed: frozenset[str]) -> bool:
    """Whether no browser sent `request`, or a person opened it, or a page of this origin or of `allowed` sent it."""
    # Chromium (156) sends `Sec-Fetch-Site: none` with a prefetch by speculation rules, whichever page has these.
    if request.headers.get("sec-purpose") is not None:
        return False
    origin = request.headers.get("origin")
    if is_allowed_origin(origin, allowed):
        return True
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return True
    # Older browsers, and those on plain HTTP, send the origin alone. Any https origin of this host passes: behind a
    # proxy that ends TLS, this service sees another scheme than the browser.
    return site is None and (origin is None or _is_of(origin, request.headers.get("host")))


def is_window(request: Request) -> bool:
    """Whether a browser loads `request` as the document of a tab or window, and not ahead of time."""
    headers = request.headers
    is_document = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    # A person may never follow the link whose target is prefetched.
    return is_document and request.method in ("GET", "HEAD") and headers.get("sec-purpose") is None


def is_clicked(request: Request) -> bool:
    """Whether the browser says that a person caused this navigation. Safari never does: https://webkit.org/b/247697"""
    return request.headers.get("sec-fetch-user") == "?1"


def _is_of(origin: str, host: str | None) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A sandboxed page has the origin "null", which has no host.
    return bool(host) and parts.netloc == host and (parts.scheme == "https" or _is_near(parts.hostname or ""))


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or host
    except ValueError:
        return host


def _is_near(name: str) -> bool:
    """Whether `name` is a local name or an address. A public name could point to this machine, and a page under it
    would then be of "this origin" for its browser (DNS rebinding): a public name must have a certificate (https).
    """
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local"))
    return True
