"""The session that an MCP address leads to, for the guests that have the address."""

from waypost_worker.context.auth import bearer, guest_session
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import AddressNotAllowed, SessionEnded, SessionNotFound
from waypost_worker.sessions.mcp_address import FoundAddress
from waypost_worker.sessions.session import Session


async def session_at_address(context: RequestContext, address: str) -> tuple[Session, bool]:
    """The session that `address` leads to, and whether that session is over. The address is as good as a guest's token;
    a token that is sent besides must be for the same session.

    Of a session that is over only the code, the age and the page are known. Never write it back, and show nothing of it
    but its tools.

    Raises:
        AddressNotFound, AddressWithdrawn, AddressNotAllowed, InvalidToken, TokenExpired, RateLimited, WrongSession,
        WrongRole
    """
    require_addresses(context)
    claims = await bearer(context)
    session, is_over = await newest_session(context, address)
    return session if claims is None or is_over else await guest_session(context, session.code), is_over


async def newest_session(context: RequestContext, address: str) -> tuple[Session, bool]:
    """The session that `address` leads to, and whether it is over, as `session_at_address`; for a caller whose right to
    it was checked.

    Raises:
        AddressNotFound, AddressWithdrawn
    """
    addresses, started_ms = context.mcp_addresses(), context.clock.now_ms()
    found = await addresses.find(address)
    session = await _live_session(context, found)
    if session is None and found.read_ms < started_ms:
        # Its browser may have opened another one since.
        found = await addresses.find(address, since_ms=started_ms)
        session = await _live_session(context, found)
    if session is None:
        addresses.note_over(address, found)
        return _closed_session(found), True
    return session, False


def require_addresses(context: RequestContext) -> None:
    """Requires that this deployment allows MCP addresses.

    Raises:
        AddressNotAllowed
    """
    if context.settings.code_joins_once:
        raise AddressNotAllowed(
            "A session admits one guest here (REQUIRE_TOKEN is once), and an MCP address would admit any number. Join "
            "with the code, and send the guestToken."
        )


async def _live_session(context: RequestContext, found: FoundAddress) -> Session | None:
    if found.is_over:
        return None
    try:
        # The record vouches for the session as a token does: it may be visible here before the session is.
        return await context.sessions().find(found.record.code, vouched_created_ms=found.record.created_ms)
    except (SessionNotFound, SessionEnded):
        return None


def _closed_session(found: FoundAddress) -> Session:
    data = None if found.record.url is None else {"url": found.record.url}
    return Session(found.record.code, found.record.created_ms, found.read_ms, 0, active=False, data=data)
