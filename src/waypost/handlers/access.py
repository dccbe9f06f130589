"""Who calls, and whether this session, or the threads of an app, are open to them."""

import hmac

from waypost.errors import InvalidToken, SessionNotFound, TokenRequired, WrongRole, WrongSession
from waypost.handlers.call import Call
from waypost.ids import parse_code
from waypost.limits import MAX_SESSION_AGE_SECONDS
from waypost.session import Session
from waypost.signing import Claims, Role, Signer


async def host_session(call: Call, code: str, *, fresh: bool = False) -> Session:
    """The session `code`, for its host. `fresh` when it is going to be written back.

    Raises:
        InvalidCode, TokenRequired, InvalidToken, TokenExpired, WrongSession, WrongRole, SessionNotFound, SessionEnded
    """
    code = parse_code(code)
    claims = bearer(call)
    if claims is None:
        raise TokenRequired("Only the session's host may do this: send its hostToken as Authorization: Bearer.")
    _check(claims, code, Role.HOST)
    return await call.sessions().find(code, fresh=fresh, vouched_created_ms=None if fresh else _created_ms(claims))


async def guest_session(call: Call, code: str) -> Session:
    """The session `code`, for a guest: with a guest's token, or with the code alone where that is allowed.

    Raises:
        as `host_session`, and RateLimited
    """
    code = parse_code(code)
    claims = bearer(call)
    if claims is not None:
        _check(claims, code, Role.GUEST)
        return await call.sessions().find(code, vouched_created_ms=_created_ms(claims))
    if call.settings.require_token:
        raise TokenRequired("A code alone is not enough here: join the session and send the guestToken.")
    return await session_by_code(call, code)


async def session_of_any(call: Call, code: str) -> tuple[Session, Role]:
    """The session `code`, and what the caller is in it: the host with the host's token, otherwise a guest."""
    claims = bearer(call)
    if claims is not None and claims.role is Role.HOST:
        return await host_session(call, code), Role.HOST
    return await guest_session(call, code), Role.GUEST


async def session_by_code(call: Call, code: str, *, fresh: bool = False) -> Session:
    """The session `code`, for somebody who shows nothing but the code; a miss costs its address's budget.

    Raises:
        InvalidCode, RateLimited, SessionNotFound, SessionEnded
    """
    code = parse_code(code)
    call.throttle.check(call.request.client_ip)
    try:
        return await call.sessions().find(code, fresh=fresh)
    except SessionNotFound:
        await call.throttle.miss(call.request.client_ip)
        raise


def bearer(call: Call) -> Claims | None:
    """What the caller's token says, or `None` if there is no token.

    Raises:
        InvalidToken, TokenExpired
    """
    token = _authorization(call)
    if not token and call.request.path == "/api/stream":
        # An EventSource can't set a header; this is the one route that takes the token from the URL.
        token = call.query.get("token", "").strip()
    if not token:
        return None
    return Signer(call.settings.signing_keys).unsign(token, call.clock.now_ms())


def require_app(call: Call) -> None:
    """Refuse whoever shows none of the app keys; where none is set, threads are open to all.

    Raises:
        TokenRequired, InvalidToken
    """
    keys = call.settings.app_keys
    if not keys:
        return
    shown = _authorization(call).encode()
    if not shown:
        raise TokenRequired("Threads are for apps here: send an app key as Authorization: Bearer.")
    # Every key is compared, whichever fits: the time taken says nothing about which one it was.
    fits = [hmac.compare_digest(shown, key.encode()) for key in keys]
    if not any(fits):
        raise InvalidToken("The token is none of the app keys of this deployment.")


def issue_token(call: Call, session: Session, role: Role) -> tuple[str, int]:
    """A token for `session`, and when it ends (milliseconds): with the greatest age a session may have."""
    claims = Claims(role, session.code, session.must_end_ms // 1000)
    return Signer(call.settings.signing_keys).sign(claims), claims.expires_seconds * 1000


def _authorization(call: Call) -> str:
    """The token in the header, or nothing."""
    scheme, _, token = (call.request.headers.get("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _created_ms(claims: Claims) -> int:
    return (claims.expires_seconds - MAX_SESSION_AGE_SECONDS) * 1000


def _check(claims: Claims, code: str, role: Role) -> None:
    if claims.code != code:
        raise WrongSession("The token was issued for another session.")
    if claims.role is not role:
        raise WrongRole(f"This is for the session's {role}; the token is a {claims.role}'s.")
