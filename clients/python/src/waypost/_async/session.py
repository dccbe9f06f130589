"""A session, as its host holds it."""

from __future__ import annotations

import msgspec

from waypost._async.driver import AsyncDriver
from waypost._core.ids import invite_link
from waypost._wire import sessions
from waypost.types import SessionRecord


class AsyncSession:
    """An open session. `code`: what a guest needs. `record`: all of it, to be kept secret; see
    `AsyncWaypost.restore`."""

    def __init__(self, driver: AsyncDriver, record: SessionRecord, *, is_restored: bool = False) -> None:
        self.driver = driver
        self.record = record
        self.is_restored = is_restored

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code}>"

    @property
    def code(self) -> str:
        return self.record.code

    @property
    def key(self) -> str | None:
        """The encryption key, which the server does not have; `None` if the session is not encrypted."""
        return self.record.key

    @property
    def link(self) -> str:
        """The link to give to a guest: the code and, behind the # that browsers send to no server, the key."""
        return invite_link(self.record.base_url, self.code, self.key)

    @property
    def mcp_url(self) -> str:
        """The URL for an MCP client. MCP clients can't use an encrypted session."""
        return f"{self.record.base_url}/mcp/{self.record.address or self.code}"

    @property
    def session_id(self) -> str:
        """The secret that owns its documents and pages."""
        return self.record.session_id

    async def extend(self) -> None:
        """Renews its full time to live. A host that runs does this by itself."""
        extended = await self.driver.send(sessions.extend_session(self.code, self.record.host_token))
        self.record = msgspec.structs.replace(self.record, expires_at=extended.expires_at)

    async def claim_address(self, secret: str) -> str:
        """Lets the MCP address of a secret (43 characters of base64url) lead here, also from a newer session. Returns
        the new `mcp_url`."""
        claimed = await self.driver.send(sessions.claim_address(self.code, self.record.host_token, secret))
        self.record = msgspec.structs.replace(self.record, address=claimed.address)
        return self.mcp_url

    async def end(self) -> None:
        """Ends it, for the host and all guests."""
        await self.driver.send(sessions.end_session(self.code, self.record.host_token))
