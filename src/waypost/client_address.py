"""Whom a budget belongs to: an IPv4 address, or the network that one customer is given with IPv6."""

from ipaddress import IPv6Address, IPv6Network, ip_address

IPV6_PREFIX = 64
"""A customer has a whole /64 at least, and all of its addresses are hers: RFC 6177, section 2."""


def address_key(address: str | None) -> str:
    """What to count for `address`: one name for all addresses that are one caller's, and one for all unknown ones."""
    try:
        # A zone ("%eth0") names an interface of this machine, not another caller.
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, IPV6_PREFIX), strict=False))
