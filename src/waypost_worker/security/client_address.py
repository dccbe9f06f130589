"""The key of a per-address budget: an IPv4 address, the IPv6 network that one customer has, or the zone of a Worker.

All Workers of other Cloudflare customers call from one address. What tells them apart is the header field `CF-Worker`:
Cloudflare writes it into every request of a Worker, with the name of the zone (the domain) that owns it, against abuse:
https://developers.cloudflare.com/workers/runtime-apis/headers/
https://community.cloudflare.com/t/is-the-cf-worker-header-from-worker-fetch-reliable/185560
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from waypost_worker.limits import MAX_ADDRESS_LENGTH

IPV6_PREFIX = 64
"""A customer has at least a whole /64 and can use all of its addresses: RFC 6177, section 2."""

WORKERS_ADDRESS = "2a06:98c0:3600::103"
"""The address of all Workers of other zones, as `CF-Connecting-IP` has it."""

_WORKER = "worker "
_ZONE = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,10}")


def caller_address(headers: Mapping[str, str]) -> str | None:
    """The address that sent a request with these header fields (in lower case); of a Worker, `worker` and its zone.

    Elsewhere than at `WORKERS_ADDRESS`, and without Cloudflare in front, any client can send `CF-Worker`: there it says
    nothing, and makes no budgets.
    """
    address = headers.get("cf-connecting-ip")
    if address == WORKERS_ADDRESS and "cf-ray" in headers and _ZONE.fullmatch(zone := headers.get("cf-worker", "")):
        return _WORKER + zone
    # Without Cloudflare, a client may send as its address what is made here only.
    return None if address is not None and address.startswith(_WORKER) else address


def rate_limit_key(address: str | None) -> str:
    """The key under which `address`, of `caller_address`, is counted: the same for all addresses of one customer,
    `unknown` if there is none."""
    if address is not None and address.startswith(_WORKER):
        return address
    return _key(address) if address and len(address) <= MAX_ADDRESS_LENGTH else "unknown"


def network_of(address: str | None) -> str:
    """The network of `address`, a /24 or a /64: a hosted client's requests leave through several of its addresses. Of a
    Worker, its zone."""
    key = rate_limit_key(address)
    return key if key.startswith(_WORKER) else key.rpartition(".")[0] or key


# Needed several times in each request, and again in the next of the same client.
@lru_cache(maxsize=4096)
def _key(address: str) -> str:
    try:
        # A zone ("%eth0") names an interface of this machine, not another caller.
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, IPV6_PREFIX), strict=False))
