"""What pages must not do: log errors, throw, or talk to another host."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

# The browser's own line for each request that failed, which tests of failures bring about on purpose.
NETWORK = re.compile("Failed to load resource|net::ERR_")

# And for a header that it heeds over HTTPS only.
UNHEEDED = re.compile("^The Cross-Origin-Opener-Policy header has been ignored")


class Watch:
    """Collects what is wrong on the pages of one test."""

    def __init__(self) -> None:
        self.expects_network_errors = False
        self._faults: list[str] = []

    def follow(self, context: BrowserContext, url: str) -> None:
        """Watch every page of `context`, which belongs to the host of `url`."""
        context.on("request", lambda request: self._check_host(request.url, url))
        context.on("page", self._watch_page)

    def verify(self) -> None:
        """Fail if there was anything."""
        assert not self._faults, "\n".join(self._faults)

    def _watch_page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self._faults.append(f"thrown: {error}"))
        page.on("console", self._check_message)

    def _check_message(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if UNHEEDED.search(message.text):
            return
        if self.expects_network_errors and NETWORK.search(message.text):
            return
        self._faults.append(f"{message.type}: {message.text}")

    def _check_host(self, requested: str, url: str) -> None:
        if not requested.startswith((f"{url}/", "data:", "blob:")):
            self._faults.append(f"request to another host: {requested}")
