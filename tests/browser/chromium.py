"""Finds the Chromium of this machine and starts it quietly."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name on a local network, served without HTTPS.
    "--host-resolver-rules=MAP waypost.local 127.0.0.1",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    installed = (shutil.which(name) for name in NAMES)
    return next((path for path in (*installed, *MACOS_APPS) if path and Path(path).exists()), None)


def flags_with(*features: str) -> list[str]:
    """Return the flags to start it with, and `features`, further flags."""
    # Chromium's sandbox refuses to run as root, which is what containers are.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [*FLAGS, *features, *sandbox]


def launch(playwright: Playwright, path: str) -> Browser:
    """Start the browser at `path`."""
    return playwright.chromium.launch(executable_path=path, args=flags_with())
