"""Whom a budget belongs to: an IPv4 address, or the network that one customer is given with IPv6."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from waypost_worker.limits import MAX_ADDRESS_LENGTH

IPV6_PREFIX = 64
"""A customer has a whole /64 at least, and all of its addresses are hers: RFC 6177, section 2."""


def rate_limit_key(address: str | None) -> str:
    """What to count for `address`: one name for all addresses that are one caller's, and one for all unknown ones."""
    return _key(address) if address and len(address) <= MAX_ADDRESS_LENGTH else "unknown"


# A request asks several times, and its caller comes again.
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
