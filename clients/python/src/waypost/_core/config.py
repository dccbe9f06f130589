"""Where the server is, and what is presented to it: arguments first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from waypost.errors import ConfigError

URL_VARIABLE = "WAYPOST_URL"
APP_KEY_VARIABLE = "WAYPOST_APP_KEY"


class Config(msgspec.Struct, frozen=True):
    """An origin without a slash at its end, and an app key or app token."""

    base_url: str
    app_key: str | None


def read_config(base_url: str | None, app_key: str | None, environment: Mapping[str, str] = os.environ) -> Config:
    """Raises `ConfigError` if no address is given, or one that is none."""
    url = base_url or environment.get(URL_VARIABLE)
    if not url:
        message = f"Which server? Pass base_url, or set {URL_VARIABLE}: https://your-worker.example"
        raise ConfigError("no_base_url", message)
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(
            "invalid_base_url", f"{url!r} is no address of a server: write it as https://your-worker.example"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError("invalid_base_url", f"{url!r} has more than a server's origin: leave out what follows it.")
    return Config(f"{parts.scheme}://{parts.netloc}", app_key or environment.get(APP_KEY_VARIABLE) or None)
