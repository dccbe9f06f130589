"""Whether a browser's request was made by a page that may make it, and under a name that this service has.

A page of another origin can't read a reply, but without these checks it could have things done: a request without a
body needs no preflight, and a picture, a prefetch or a window whose address is a wrong code would be a guess of the
person who looks at that page. What is looked at, and in which order, is what Go's net/http does against cross-site
request forgery: https://pkg.go.dev/net/http#CrossOriginProtection. Navigations are no exception: a page can start them
without a click, with speculation rules or by assigning `location` over and over. Programs send neither field, and are
not browsers that another site's page can use.
"""

from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from waypost_worker.errors import HostNotAllowed, OriginNotAllowed
from waypost_worker.http.messages import Request


def require_own_host(request: Request, allowed: frozenset[str]) -> None:
    """Refuse plain HTTP under a name that somebody may have pointed at this machine (DNS rebinding).

    A page of `http://rebind.example` whose name now resolves to 127.0.0.1 is of "this origin" to its browser, and a
    GET of it has neither `Origin` nor `Sec-Fetch-Site`. Accepted are HTTPS (the name has a certificate), addresses,
    names without a dot, `.localhost`, `.local`, and the hosts of `allowed`. `X-Forwarded-Proto` proves nothing, since
    the page could set it. `Sec-Fetch-Site` does prove that the browser knows an https or localhost address, which is
    how a browser comes through a tunnel: browsers send it to no other, and no page can set it. Nor can a page set
    `Origin`; `https` in it says the same.

    Raises:
        HostNotAllowed
    """
    headers = request.headers
    if request.scheme != "http" or headers.get("sec-fetch-site") is not None:
        return
    if (headers.get("origin") or "").startswith("https://"):
        return
    name = _host_name(headers.get("host") or "localhost")
    if not (_is_near(name) or name in {urlsplit(origin).hostname for origin in allowed}):
        raise HostNotAllowed(
            "Over plain HTTP this name is not accepted (DNS rebinding). Use https, localhost or an IP address, or put "
            "the origin with this name into ALLOWED_ORIGINS."
        )


def require_known_origin(request: Request, allowed: frozenset[str]) -> None:
    """Pass if `request` is no browser's, or the person opened it, or a page of this origin or of `allowed` made it.

    Raises:
        OriginNotAllowed: a page of another origin made it.
    """
    if not is_from_known_origin(request, allowed):
        refuse_origin()


def refuse_origin() -> NoReturn:
    """Raises:
    OriginNotAllowed
    """
    raise OriginNotAllowed("Pages of this origin may not call here; ALLOWED_ORIGINS names those that may.")


def is_from_known_origin(request: Request, allowed: frozenset[str]) -> bool:
    """Whether `require_known_origin` lets `request` pass."""
    # Of a prefetch by speculation rules, which any page may have, Chromium (156) says `Sec-Fetch-Site: none`.
    if request.headers.get("sec-purpose") is not None:
        return False
    origin = request.headers.get("origin")
    if origin in allowed:
        return True
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return True
    # Older browsers, and those on plain HTTP, send the origin alone. https is believed: behind a proxy that ends TLS
    # this service sees another scheme than the browser.
    return site is None and (origin is None or _is_of(origin, request.headers.get("host")))


def is_window(request: Request) -> bool:
    """Whether a browser loads `request` as the document of a tab or window, and not ahead of time."""
    headers = request.headers
    is_document = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    # A prefetch may be one of a link on another site that the person never follows.
    return is_document and request.method in ("GET", "HEAD") and headers.get("sec-purpose") is None


def is_clicked(request: Request) -> bool:
    """Whether the browser says that a person caused this navigation. Safari never says so:
    https://webkit.org/b/247697"""
    return request.headers.get("sec-fetch-user") == "?1"


def _is_of(origin: str, host: str | None) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A sandboxed page has the origin "null", and so no host.
    return bool(host) and parts.netloc == host and (parts.scheme == "https" or _is_near(parts.hostname or ""))


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or host
    except ValueError:
        return host


def _is_near(name: str) -> bool:
    """Whether `name` can't be one that somebody has made to point at this machine, so that a page of theirs is of "this
    origin" to its browser (DNS rebinding). A name that is resolved all over the world has a certificate, or is refused.
    """
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local"))
    return True
