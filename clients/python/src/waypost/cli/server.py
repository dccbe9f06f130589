"""Which server the command talks to, and with which app key: options first, then the environment, then a profile.

A key goes only to the server that it was written beside: one of the environment to no profile's server, and one of a
profile to no server of `--url`."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from waypost.cli.home import home, is_readable_by_others, read_profiles
from waypost.cli.output import complain
from waypost.errors import ConfigError

PROFILE_VARIABLE = "WAYPOST_PROFILE"


class Server(NamedTuple):
    """`source`: what named it."""

    url: str
    app_key: str | None
    source: str


def find_server(url: str | None, profile: str | None, link_url: str | None = None) -> Server:
    """The server to use. `link_url`: of a link, which names the server if nothing explicit does.

    Raises:
        ConfigError: nothing names a server, or the profile is wrong.
    """
    if url:
        return Server(url, _key_beside(url), "--url")
    if profile:
        return _of_profile(profile, f"--profile {profile}")
    if link_url:
        return Server(link_url, _key_beside(link_url), "the link")
    if found := os.environ.get("WAYPOST_URL"):
        return Server(found, os.environ.get("WAYPOST_APP_KEY"), "WAYPOST_URL")
    if named := os.environ.get(PROFILE_VARIABLE):
        return _of_profile(named, PROFILE_VARIABLE)
    profiles = read_profiles()
    if default := profiles.get("default"):
        return _of_profile(str(default), f"the default profile of {home() / 'config.toml'}")
    message = f"Which server? --url https://your-worker.example, WAYPOST_URL, or a profile in {home() / 'config.toml'}"
    raise ConfigError("no_base_url", message)


def _key_beside(url: str) -> str | None:
    """The environment's key, if its address is this one or it names none."""
    other = os.environ.get("WAYPOST_URL")
    if other and _origin(other) != _origin(url):
        return None
    return os.environ.get("WAYPOST_APP_KEY")


def _of_profile(name: str, source: str) -> Server:
    path = home() / "config.toml"
    profiles = read_profiles().get("profiles")
    entry = profiles.get(name) if isinstance(profiles, dict) else None
    if not isinstance(entry, dict):
        known = ", ".join(sorted(profiles)) if isinstance(profiles, dict) else ""
        raise ConfigError("unknown_profile", f"{path} has no profile {name!r}" + (f", but {known}." if known else "."))
    url, key = entry.get("url"), entry.get("app_key")
    if not isinstance(url, str) or not (key is None or isinstance(key, str)):
        raise ConfigError(
            "invalid_config", f'{path}: [profiles.{name}] needs url = "https://…", and app_key is a text.'
        )
    unknown = sorted(set(entry) - {"url", "app_key"})
    if unknown:
        raise ConfigError("invalid_config", f"{path}: [profiles.{name}] has url and app_key, but no {unknown[0]}.")
    if key and is_readable_by_others(path):
        complain(f"Other users can read {path}, which has an app key: chmod 600 {path}")
    return Server(url, key, source)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url.strip())
    return parts.scheme, parts.netloc
