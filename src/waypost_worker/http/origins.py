"""The grammar of ALLOWED_ORIGINS: origins exactly as browsers send them, and patterns for those that can't be listed.

    https://app.example      this origin
    https://*.app.example    each name below it, at any depth; not the name itself
    http://localhost:*       each port of this host, and none
    moz-extension://*        each host of a scheme that is not of the web: browser extensions, webviews, native shells
    null, file://            pages without an origin: sandboxed frames, `data:` URLs, files
    *                        each page there is

An origin is compared as a text, never parsed: two that differ in their spelling are two for browsers as well.
"""

import re
from functools import lru_cache
from ipaddress import IPv6Address

import msgspec

ANY = "*"
OPAQUE = ("null", "file://")
"""What browsers, and shells like Electron, send for pages without an origin."""

NO_HOST = "has a host that no browser sends"
DEFAULT_PORTS = {"http": "80", "https": "443"}

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::(.*))?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9._-]+")
_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]*[a-z_-][a-z0-9_-]*")
"""A name whose last label is no number, unlike that of an address."""

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_ANY_HOST = r"[!-.0-~]{1,255}"
_ORIGIN = re.compile(rf"{'|'.join(OPAQUE)}|[a-z][a-z0-9+.-]*://{_ANY_HOST}")
_LABELS = r"(?:[a-z0-9_-]+\.)+"
_ANY_PORT = r"(?::[1-9][0-9]{0,4})?"


class _Rules(msgspec.Struct, frozen=True):
    """The allowed origins, and their hosts, as one regular expression each."""

    origins: re.Pattern[str]
    hosts: re.Pattern[str]


def is_allowed_origin(origin: str | None, allowed: frozenset[str]) -> bool:
    """Whether `origin`, as a browser sent it, is one of `allowed` or fits one of its patterns."""
    if origin is None:
        return False
    # No browser sends an origin with a star, which would be found as the pattern itself.
    if (origin in allowed and ANY not in origin) or (ANY in allowed and is_origin(origin)):
        return True
    return bool(allowed) and bool(_rules(allowed).origins.fullmatch(origin))


def is_origin(text: str) -> bool:
    """Whether `text` has the form of an origin as browsers write it, so that it can be repeated in a header."""
    return bool(_ORIGIN.fullmatch(text))


def is_allowed_host(name: str, allowed: frozenset[str]) -> bool:
    """Whether `name` is the host of an origin in `allowed`."""
    if ANY in allowed:
        return True
    return bool(allowed) and bool(_rules(allowed).hosts.fullmatch(name))


def fault_of(entry: str) -> str | None:
    """Why `entry` is neither an origin nor a pattern, as a clause that does not repeat it; `None` if it is one."""
    if entry in (ANY, *OPAQUE):
        return None
    scheme, colon, rest = entry.partition("://")
    if not colon:
        return "has no scheme: write https:// before the name"
    if not _SCHEME.fullmatch(scheme):
        return "has a scheme that no browser sends: schemes are in lower case"
    if rest == ANY:
        is_of_the_web = scheme in DEFAULT_PORTS
        return f"would allow every site: if that is what you want, write {ANY}" if is_of_the_web else None
    if any(sign in rest for sign in "/?#@"):
        return "has more than a scheme, a host and a port: an origin ends there, without a slash"
    parts = _HOST_AND_PORT.fullmatch(rest)
    if parts is None:
        return NO_HOST
    return _fault_of_port(scheme, parts[2]) or _fault_of_host(scheme, parts[1])


def _fault_of_port(scheme: str, port: str | None) -> str | None:
    if port is None or port == ANY:
        return None
    if not _PORT.fullmatch(port) or int(port) > 65535:
        return "has a port that is no number from 1 to 65535"
    if port == DEFAULT_PORTS.get(scheme):
        return "has the default port of its scheme, which browsers leave out"
    return None


def _fault_of_host(scheme: str, host: str) -> str | None:
    if not host.isascii():
        return "has letters that browsers send in another form: write the name as xn--…"
    if host != host.lower():
        return "has capitals: browsers send names in lower case"
    base = host.removeprefix("*.")
    if ANY in base or (base != host and scheme not in DEFAULT_PORTS):
        return "has a * where none can be: it stands for the first labels of a name (https://*.app.example), or a port"
    if base != host and not ("." in base or base == "localhost"):
        return "would allow every name of a top-level domain"
    if host.startswith("["):
        return None if _is_ipv6(host[1:-1]) else NO_HOST
    return None if (_HOST if base == host else _NAME).fullmatch(base) else NO_HOST


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except ValueError:
        return False


@lru_cache(maxsize=16)
def _rules(allowed: frozenset[str]) -> _Rules:
    origins, hosts = [], []
    for entry in allowed - {ANY, *OPAQUE}:
        scheme, _, rest = entry.partition("://")
        if rest == ANY:
            origins.append(f"{re.escape(scheme)}://{_ANY_HOST}")
            continue
        host, port = _HOST_AND_PORT.fullmatch(rest).groups()  # type: ignore[union-attr]
        is_wild = host.startswith("*.")
        name = _LABELS + re.escape(host[2:]) if is_wild else re.escape(host)
        origins.append(f"{re.escape(scheme)}://{name}{_ANY_PORT if port == ANY else f':{port}' if port else ''}")
        hosts.append(name)
    return _Rules(_any_of(origins), _any_of(hosts))


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    # Without patterns, one that nothing fits.
    return re.compile("|".join(sorted(patterns)) or r"(?!)")
