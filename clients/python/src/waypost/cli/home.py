"""Where the command keeps things: `config.toml` with profiles, and the sessions that were opened here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from waypost.errors import ConfigError

if TYPE_CHECKING:
    from waypost.host.sqlite_ledger import SqliteLedger

HOME_VARIABLE = "WAYPOST_HOME"
PRUNE_SECONDS = 3 * 24 * 3600
"""Sessions last a day; what was not touched for longer is of none."""

_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY


def home() -> Path:
    """The folder: `~/.config/waypost` on Linux, what is usual elsewhere, or `WAYPOST_HOME`."""
    return Path(os.environ.get(HOME_VARIABLE) or click.get_app_dir("waypost"))


def read_profiles() -> dict[str, Any]:
    """The content of `config.toml`; empty if there is none. Raises `ConfigError` if it can't be read."""
    path = home() / "config.toml"
    # Loaded by those who have a file.
    import tomllib

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("invalid_config", f"{path} can't be read: {error}") from error


def is_readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read a file. On Windows its rights are not looked at."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def guest_id(code: str) -> str:
    """The id with which this machine joins a session: the same each time, since a code may let in one guest only. It
    can't be guessed by others. Where nothing can be kept, it is new each time."""
    path = home() / "guest"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), open(os.open(path, _NEW_FILE, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        secret = path.read_text()
    except OSError:
        secret = secrets.token_hex(32)
    return hashlib.sha256(f"{secret} {code}".encode()).hexdigest()[:32]


def ledger_of(code: str, *, make: bool = False) -> SqliteLedger:
    """The file of a session, which has its token and its calls. Raises `ConfigError` if this machine has none, or
    another process has it."""
    import sqlite3

    from waypost.host.sqlite_ledger import SqliteLedger

    folder = home() / "sessions"
    path = folder / f"{code}.db"
    if make:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _prune(folder)
    elif not code.isalnum() or not path.exists():
        message = f"The session {code} was not opened by `waypost open` on this machine. A new one: waypost serve --new"
        raise ConfigError("unknown_session", message)
    try:
        return SqliteLedger(path, patience=1.0)
    except sqlite3.Error as error:
        raise ConfigError("invalid_session_file", f"{path} can't be used: {error}") from error


def forget(code: str) -> None:
    """Deletes the file of a session that is over."""
    for path in (home() / "sessions").glob(f"{code}.db*"):
        path.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    newest: dict[str, float] = {}
    for path in folder.glob("*.db*"):
        code = path.name.partition(".")[0]
        newest[code] = max(newest.get(code, 0.0), path.stat().st_mtime)
    for code, touched in newest.items():
        if touched < time.time() - PRUNE_SECONDS:
            forget(code)
