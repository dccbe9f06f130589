"""HTTP with the standard library: one request, one reply."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from tools.deploy.failure import DeployFailure


class Unreachable(DeployFailure):
    """No reply has come; the message is the sentence."""


@dataclass(frozen=True)
class Sent:
    """A request to send; `body` is JSON unless it is None. `patience`: seconds until the first byte of the reply."""

    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: float = 30.0


@dataclass(frozen=True)
class Reply:
    """A reply of any status; the names in `headers` are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body decoded from JSON; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Send = Callable[[Sent], Reply]
"""Sends a request; raises `Unreachable`."""


def send(sent: Sent) -> Reply:
    """Send a request by the network, through the proxy that the environment names."""
    data = None if sent.body is None else json.dumps(sent.body).encode()
    headers = {"User-Agent": "waypost-deploy", "Content-Type": "application/json", **sent.headers}
    request = urllib.request.Request(sent.url, data=data, headers=headers, method=sent.method)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=_trust()), _NoRedirect)
    try:
        with opener.open(request, timeout=sent.patience) as reply:
            return _reply(reply)
    except urllib.error.HTTPError as reply:
        with reply:
            return _reply(reply)
    except (OSError, HTTPException) as error:
        raise Unreachable(_sentence(sent.url, error)) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is a reply like any other: neither the API nor a Waypost sends any."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _reply(reply: Any) -> Reply:
    return Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read())


@cache
def _trust() -> ssl.SSLContext:
    """The machine's certificates; with pip's own where Python comes without any, as python.org's on macOS does."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        for name in ("certifi", "pip._vendor.certifi"):
            try:
                context.load_verify_locations(import_module(name).where())
            except (ImportError, OSError):
                continue
            break
    return context


def _sentence(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    host = urlsplit(url).netloc
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not valid: {reason.verify_message}."
    if isinstance(reason, TimeoutError):
        return f"{host} does not answer in time. Is this machine online?"
    return f"{host} can't be reached ({reason}). Is this machine online?"
