"""Authentication and authorization: which session, or which threads, the caller of a request may reach."""

import hmac
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.thread import ID_PREFIX, is_of_resource
from waypost_worker.errors import (
    InvalidToken,
    RateLimited,
    SessionNotFound,
    TokenRequired,
    WaypostError,
    WrongResource,
    WrongRole,
    WrongSession,
)
from waypost_worker.http.authorization import bearer_token
from waypost_worker.ids import parse_code, parse_id
from waypost_worker.limits import MAX_SESSION_AGE_SECONDS
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import TOKEN_PREFIX, Claims, Role, Signer
from waypost_worker.sessions.session import Session
from waypost_worker.telemetry.record import APP, GUEST, HOST, OWNER, RESOURCE


async def host_session(
    context: RequestContext,
    code: str,
    *,
    claims: Claims | None = None,
    spends: Limit | None = None,
    fresh: bool = False,
) -> Session:
    """The session `code`, for its host. `claims`: those of the caller's token, if they are known already. `spends`: a
    budget of the host, counted while the session is looked up. `fresh`: read from KV instead of a cache, because it
    will be written back.

    Raises:
        InvalidCode, TokenRequired, InvalidToken, TokenExpired, RateLimited, WrongSession, WrongRole, SessionNotFound,
        SessionEnded
    """
    code = parse_code(code)
    claims = claims or await bearer(context)
    if claims is None:
        raise TokenRequired("Only the session's host may do this: send its hostToken as Authorization: Bearer.")
    _check(claims, code, Role.HOST)
    context.record.caller = HOST
    vouched_created_ms = None if fresh else _created_ms(claims)
    finding = context.sessions().find(code, fresh=fresh, vouched_created_ms=vouched_created_ms)
    return await _spending(context, spends, f"host:{code}", finding)


async def guest_session(context: RequestContext, code: str, *, spends: Limit | None = None) -> Session:
    """The session `code`, for a guest: with a guest's token, or with the code alone where the deployment allows that.
    `spends`: a budget of the guests, counted while the session is looked up.

    Raises:
        as `host_session`
    """
    code = parse_code(code)
    claims = await bearer(context)
    if claims is not None:
        _check(claims, code, Role.GUEST)
        context.record.caller = GUEST
        finding = context.sessions().find(code, vouched_created_ms=_created_ms(claims))
        return await _spending(context, spends, f"guest:{code}", finding)
    if context.settings.require_token:
        raise TokenRequired("A code alone is not enough here: join the session and send the guestToken.")
    return await session_by_code(context, code, spends=spends)


async def _spending(
    context: RequestContext, limit: Limit | None, key: str, finding: Coroutine[Any, Any, Session]
) -> Session:
    """What `finding` finds, while a use of `key` is counted. What is wrong with the session is said first."""
    if limit is None:
        return await finding
    asked = context.limits.ask(limit, key)
    try:
        session = await finding
    except WaypostError:
        with suppress(RateLimited):
            await asked.end()
        raise
    await asked.end()
    return session


async def session_of_any(context: RequestContext, code: str) -> tuple[Session, Role]:
    """The session `code`, and the caller's role in it: host with the host's token, otherwise guest."""
    claims = await bearer(context)
    if claims is not None and claims.role is Role.HOST:
        return await host_session(context, code), Role.HOST
    return await guest_session(context, code), Role.GUEST


async def session_to_read(context: RequestContext, code: str) -> Session:
    """The session `code`, read from KV. The code is enough, unless codes are single-use: then a token is needed.

    Raises:
        as `host_session`
    """
    if not context.settings.code_joins_once:
        return await session_by_code(context, code, fresh=True)
    code = parse_code(code)
    claims = await bearer(context)
    if claims is None:
        raise TokenRequired("A code alone is not enough here: send a token of the session.")
    _check(claims, code, Role.GUEST if claims.role is Role.APP else claims.role)
    context.record.caller = HOST if claims.role is Role.HOST else GUEST
    return await context.sessions().find(code, fresh=True)


async def session_by_code(
    context: RequestContext, code: str, *, spends: Limit | None = None, fresh: bool = False
) -> Session:
    """The session `code`, for a caller without a token. A code that does not exist counts against the address's budget.
    `spends`: a budget of the guests, counted while the session is looked up.

    Raises:
        InvalidCode, RateLimited, SessionNotFound, SessionEnded
    """
    code = parse_code(code)
    # A blocked address counts for no session either.
    with context.throttle.looking_up(context.request.client_ip, code):
        return await _spending(context, spends, f"guest:{code}", _session_by_code(context, code, fresh=fresh))


async def _session_by_code(context: RequestContext, code: str, *, fresh: bool) -> Session:
    throttle, address = context.throttle, context.request.client_ip
    try:
        session = await context.sessions().find(code, fresh=fresh)
    except SessionNotFound:
        await throttle.miss(address, code)
        raise
    throttle.hit(address, code)
    context.record.caller = GUEST
    return session


async def tab_session(context: RequestContext, code: str | None, token: str | None) -> Session:
    """The session of the tab whose tools a chat may use, named by its code or by a guest's token in a body: the header
    has the caller's right to the thread.

    Raises:
        as `guest_session`
    """
    caller = context.record.caller
    if token is not None:
        claims = await _claims(context, token)
        _check(claims, claims.subject, Role.GUEST)
        return await context.sessions().find(claims.subject, vouched_created_ms=_created_ms(claims))
    if context.settings.require_token:
        raise TokenRequired("A code alone is not enough here: join the session and send the guestToken as the token.")
    session = await session_by_code(context, code or "")
    # It is still the thread's caller who asks.
    context.record.caller = caller
    return session


async def bearer(context: RequestContext) -> Claims | None:
    """The claims of the caller's token, or `None` if the request has none.

    Raises:
        InvalidToken, TokenExpired, RateLimited
    """
    token = bearer_token(context.request)
    if not token and context.request.path == "/api/stream":
        # An EventSource can't set a header; this is the one route that takes the token from the URL.
        token = context.query.get("token", "").strip()
    return await _claims(context, token) if token else None


async def require_app(context: RequestContext) -> str | None:
    """The resource that the caller's token is bound to; `None` for an app itself, which may reach any of them.

    Without any app key in the settings, threads are open to all callers; a token that is sent still restricts its
    bearer.

    Raises:
        TokenRequired, InvalidToken, TokenExpired, WrongRole, RateLimited
    """
    token = bearer_token(context.request)
    if token.startswith(TOKEN_PREFIX):
        claims = await _claims(context, token)
        if claims.role is not Role.APP:
            raise WrongRole(f"Threads are an app's; the token is a session's {claims.role}'s.")
        context.record.caller = RESOURCE
        return claims.subject
    if context.settings.app_keys:
        if not token:
            raise TokenRequired("Threads are for apps here: send an app key or token as Authorization: Bearer.")
        await _check_app_key(context, token)
    return None


async def owned_id(context: RequestContext, text: str, what: str) -> str:
    """`text`, if it is a session id and the caller may reach what it owns.

    A session id is itself the secret. That of a thread is shown to every caller who may reach the thread, and must not
    outlive their tokens: with app keys in the settings it needs one of them, or a token for the thread's resource.

    Raises:
        InvalidId, TokenRequired, InvalidToken, TokenExpired, WrongRole, WrongResource, RateLimited
    """
    session_id = parse_id(text, what)
    if context.settings.app_keys and session_id.startswith(ID_PREFIX):
        resource_id = await require_app(context)
        if resource_id is not None and not is_of_resource(session_id, resource_id, context.settings.signing_keys):
            raise WrongResource("The token is for the threads of another resource.")
    else:
        context.record.caller = OWNER
    return session_id


async def has_app_key(context: RequestContext) -> bool:
    """Whether the caller is an app's backend. Without app keys in the settings no caller can show that it is.

    Raises:
        InvalidToken: something that is neither a token nor one of the app keys was sent.
        RateLimited
    """
    token = bearer_token(context.request)
    if not context.settings.app_keys or not token or token.startswith(TOKEN_PREFIX):
        return False
    await _check_app_key(context, token)
    return True


async def require_app_key(context: RequestContext) -> None:
    """Requires an app key, so that only an app's backend passes.

    Raises:
        TokenRequired, InvalidToken, TokenExpired, WrongRole, RateLimited
    """
    token = bearer_token(context.request)
    if not token:
        raise TokenRequired(f"Only an app may do this: send an app key as Authorization: Bearer.{_hint(context)}")
    if token.startswith(TOKEN_PREFIX):
        claims = await _claims(context, token)
        raise WrongRole(f"Only an app may do this, with its key; this is the token of a {claims.role}.")
    await _check_app_key(context, token)


def issue_token(context: RequestContext, session: Session, role: Role) -> tuple[str, int]:
    """A token for `session`, and when it expires (milliseconds): at the greatest age of the session."""
    return _issue(context, Claims(role, session.code, session.must_end_ms // 1000))


def issue_app_token(context: RequestContext, resource_id: str, ttl_seconds: int) -> tuple[str, int]:
    """A token for the threads of one resource, and when it expires (milliseconds)."""
    return _issue(context, Claims(Role.APP, resource_id, context.clock.now_ms() // 1000 + ttl_seconds))


def _issue(context: RequestContext, claims: Claims) -> tuple[str, int]:
    return Signer(context.settings.signing_keys).sign(claims), claims.expires_seconds * 1000


async def _claims(context: RequestContext, token: str) -> Claims:
    try:
        return Signer(context.settings.signing_keys).unsign(token, context.clock.now_ms())
    except InvalidToken:
        # Only after a failure: a signature can't be guessed, so a genuine token passes even from an address that is
        # blocked.
        context.throttle.check(context.request.client_ip)
        await context.throttle.miss(context.request.client_ip, token)
        raise


async def _check_app_key(context: RequestContext, token: str) -> None:
    # Every key is compared, so that the time taken does not tell which one fits.
    fits = [hmac.compare_digest(token.encode(), key.encode()) for key in context.settings.app_keys]
    if not any(fits):
        # Only after a failure, as for tokens: an app's backend may share its address with a client that guesses codes.
        context.throttle.check(context.request.client_ip)
        await context.throttle.miss(context.request.client_ip, token)
        raise InvalidToken(f"The token is none of the app keys of this deployment.{_hint(context)}")
    context.record.caller = APP


def _hint(context: RequestContext) -> str:
    return "" if context.settings.app_keys else " It has none: its threads are open to all until APP_KEYS is set."


def _created_ms(claims: Claims) -> int:
    return (claims.expires_seconds - MAX_SESSION_AGE_SECONDS) * 1000


def _check(claims: Claims, code: str, role: Role) -> None:
    if claims.role is Role.APP:
        raise WrongRole(f"This is for the session's {role}; the token is for an app's threads.")
    if claims.subject != code:
        raise WrongSession("The token was issued for another session.")
    if claims.role is not role:
        raise WrongRole(f"This is for the session's {role}; the token is a {claims.role}'s.")
