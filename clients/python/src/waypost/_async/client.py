"""The client: where everything begins."""

from __future__ import annotations

from typing import Any

import httpx2

from waypost._async.chat import AsyncChat
from waypost._async.conversation import AsyncConversation
from waypost._async.documents import AsyncDocuments, AsyncPages
from waypost._async.driver import AsyncDriver
from waypost._async.guest import AsyncGuest
from waypost._async.session import AsyncSession
from waypost._async.threads import AsyncThreads
from waypost._core.cipher import new_key
from waypost._core.config import read_config
from waypost._core.ids import Invite, new_id, read_invite
from waypost._core.retrying import Retry
from waypost._wire import service, sessions
from waypost.errors import ConfigError
from waypost.types import AppToken, Health, SessionRecord


class AsyncWaypost:
    """A client of one Waypost server. `async with` closes it.

    `base_url`: the server's origin; `WAYPOST_URL` if it is left out. `app_key`: an app key or an app token, for chats
    and threads; `WAYPOST_APP_KEY`. `retry`: for how long requests that failed are repeated. `http_client`: one of your
    own, with its proxies and certificates, which you close."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        app_key: str | None = None,
        retry: Retry | None = None,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._driver = AsyncDriver(read_config(base_url, app_key), retry or Retry(), http_client)

    @property
    def base_url(self) -> str:
        """The server's origin, without a slash at its end."""
        return self._driver.config.base_url

    async def __aenter__(self) -> AsyncWaypost:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections. May be called again; everything else raises `Closed` after it."""
        await self._driver.aclose()

    async def health(self) -> Health:
        """The state of the server. Raises `Unavailable` with the reason if it can't be used."""
        return await self._driver.send(service.health())

    async def open_session(
        self,
        *,
        label: str | None = None,
        ttl: int | None = None,
        data: Any = None,
        encrypted: bool = False,
        map_tool_names: bool | None = None,
        address_secret: str | None = None,
    ) -> AsyncSession:
        """Opens a session, for a `Host`. `label`, `data`: shown to guests. `ttl`: seconds that it lasts without a host.
        `encrypted`: end to end; guests then need `session.link`. `map_tool_names` false: MCP clients see names like
        `cart.add` as they are. `address_secret`: 43 characters of base64url, which always make the same `mcp_url`."""
        # The key comes first: a program that can't encrypt must not open a session in the clear instead.
        key = new_key() if encrypted else None
        if key and address_secret:
            raise ConfigError("encrypted", "MCP clients can't use an encrypted session, so it has no MCP address.")
        call = sessions.open_session(
            ttl=ttl, label=label, data=data, map_tool_names=map_tool_names, address_secret=address_secret
        )
        opened = await self._driver.send(call)
        record = SessionRecord(
            base_url=self.base_url,
            code=opened.code,
            host_token=opened.host_token,
            session_id=opened.session_id,
            created_at=opened.created_at,
            expires_at=opened.expires_at,
            label=label,
            data=data,
            address=opened.address,
            key=key,
            memory=new_id(),
        )
        return AsyncSession(self._driver, record)

    def restore(self, record: SessionRecord) -> AsyncSession:
        """A session that was opened earlier, from its `record`. Raises `ConfigError` if it is another server's."""
        self._require_own(record.base_url)
        return AsyncSession(self._driver, record, is_restored=True)

    async def join(self, invite: str, *, key: str | None = None, id: str | None = None) -> AsyncGuest:
        """Joins a session by its code or its whole link. `id`: the same one joins again where a code lets in one guest.
        Raises `NotFound` if there is no such session, `Forbidden` if its code is used up."""
        invited = self._read(invite, key)
        # Before the request, so that a damaged key fails immediately.
        AsyncGuest(self._driver, invited.code, key=invited.key)
        joined = await self._driver.send(sessions.join_session(invited.code, id or new_id()))
        return AsyncGuest(self._driver, joined.code, joined.guest_token, invited.key)

    def guest(self, invite: str, *, token: str | None = None, key: str | None = None) -> AsyncGuest:
        """A guest by a session's code or link, without a request: for servers where a code opens everything, or with a
        `token` that an earlier `join()` has got."""
        invited = self._read(invite, key)
        return AsyncGuest(self._driver, invited.code, token, invited.key)

    def chat(self, thread_id: str, resource_id: str | None = None, *, agent: str | None = None) -> AsyncChat:
        """The chat of a thread, which need not have begun. `resource_id`: whose; by default the thread's own id."""
        return AsyncChat(self._driver, thread_id, resource_id, agent=agent)

    def threads(self, resource_id: str) -> AsyncThreads:
        """The threads of a resource."""
        return AsyncThreads(self._driver, resource_id)

    def conversation(self, session_id: str) -> AsyncConversation:
        """The conversation of a session id: a thread's, or one that was made up at random."""
        return AsyncConversation(self._driver, session_id)

    def documents(self, session_id: str) -> AsyncDocuments:
        """The documents of a session id."""
        return AsyncDocuments(self._driver, session_id)

    def pages(self, session_id: str) -> AsyncPages:
        """The pages of a session id."""
        return AsyncPages(self._driver, session_id)

    async def issue_token(self, resource_id: str, *, ttl: int | None = None) -> AppToken:
        """A token for a browser: for the threads of this resource only, for `ttl` seconds. Needs the app key itself."""
        return await self._driver.send(service.issue_token(resource_id, ttl))

    def _read(self, invite: str, key: str | None) -> Invite:
        invited = read_invite(invite)
        if invited.base_url is not None:
            self._require_own(invited.base_url)
        return Invite(invited.code, key or invited.key)

    def _require_own(self, base_url: str) -> None:
        if base_url != self.base_url:
            message = f"This is of the server {base_url}, and the client's is {self.base_url}."
            raise ConfigError("other_server", message)
