"""The key of a per-address budget: an IPv4 address, or the IPv6 network that one customer has."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from waypost_worker.limits import MAX_ADDRESS_LENGTH

IPV6_PREFIX = 64
"""A customer has at least a whole /64 and can use all of its addresses: RFC 6177, section 2."""


def rate_limit_key(address: str | None) -> str:
    """The key under which `address` is counted: the same for all addresses of one customer, `unknown` if there is
    none."""
    return _key(address) if address and len(address) <= MAX_ADDRESS_LENGTH else "unknown"


def network_of(address: str | None) -> str:
    """The network of `address`, a /24 or a /64: a hosted client's requests leave through several of its addresses."""
    key = rate_limit_key(address)
    return key.rpartition(".")[0] or key


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
