"""Whether this machine has the IPv6 loopback address."""

from __future__ import annotations

import errno
import socket

import pytest


def has_ipv6() -> bool:
    """Whether a connection to `::1` comes as far as this machine."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            # Nothing listens on the port of `discard`.
            return probe.connect_ex(("::1", 9)) in (0, errno.ECONNREFUSED)
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
