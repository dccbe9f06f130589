"""Where `make dev` can listen, why it can't, and under which address the machine's network finds it."""

from __future__ import annotations

import errno
import json
import socket
import urllib.request

HEALTH_SECONDS = 3
OTHER_PORT = "choose another one: make dev PORT=9000"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
"""Addresses to listen on that mean all of this machine's."""

ELSEWHERE = "192.0.2.1"
"""An address of no machine (RFC 5737). Nothing is sent there: the system only chooses the way."""


def why_not(host: str, port: int) -> str | None:
    """Return why this address can't be listened on, as a sentence that says what to do; None where it can.

    wrangler itself reports none of this.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (socket.gaierror, UnicodeError):
            return f"This machine does not know the name {host}; try HOST=127.0.0.1, or HOST=0.0.0.0 for all addresses."
        except OSError as error:
            return reason_of(error.errno, host, port)
    return None


def reason_of(number: int | None, host: str, port: int) -> str:
    """Return what the system's error `number` means here."""
    if number == errno.EACCES:
        return f"Port {port} needs the rights of an administrator; {OTHER_PORT}"
    if number == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; HOST=0.0.0.0 listens on all that it has."
    if number == errno.EADDRINUSE and is_waypost(port):
        return f"Waypost already runs on http://localhost:{port}; to run another one too: make dev PORT=9000"
    return f"Port {port} of {host} is taken; {OTHER_PORT}"


def is_waypost(port: int) -> bool:
    """Return whether the program that listens on this port of the loopback is a Waypost."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=HEALTH_SECONDS) as reply:
            health = json.load(reply)
    except (OSError, ValueError):
        return False
    return isinstance(health, dict) and {"storage", "signingKeys"} <= health.keys()


def network_url(host: str, port: int) -> str | None:
    """Return the URL under which other devices of the network find what listens on `host`.

    None where it listens on one address only, or the machine is in no network.
    """
    if host not in EVERYWHERE:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ELSEWHERE, 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else f"http://{address}:{port}"
