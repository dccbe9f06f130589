"""Which web pages may call this service, and read its replies: one decision for the check of origins and for CORS.

Pages of this origin may, those of ALLOWED_ORIGINS, and on MCP every page that holds a token. What the check of origins
protects there is the code in the URL: any page can have its visitor's browser request a URL. A token a page must be
given; no browser adds one to a request as it adds cookies, of which this service has none.
"""

from waypost_worker.clock import Clock
from waypost_worker.errors import InvalidToken, TokenExpired
from waypost_worker.http.authorization import bearer_token
from waypost_worker.http.cors import allow_origin, asks_for_authorization, is_preflight
from waypost_worker.http.cross_origin import is_from_known_origin
from waypost_worker.http.messages import Request, Response
from waypost_worker.http.origins import is_allowed_origin, is_origin
from waypost_worker.http.routing import is_mcp
from waypost_worker.security.tokens import Signer


class PageAccess:
    """The decision for one deployment."""

    def __init__(self, allowed: frozenset[str], signing_keys: tuple[bytes, ...], clock: Clock) -> None:
        self._allowed = allowed
        self._signer = Signer(signing_keys)
        self._clock = clock

    def may_call(self, request: Request) -> bool:
        """Whether `request` may have an effect: no page sent it, or one that may."""
        return is_from_known_origin(request, self._allowed) or self._holds_token(request)

    def let_read(self, request: Request, response: Response) -> None:
        """Adds CORS headers to `response` if the page that sent `request` may read it."""
        origin = request.headers.get("origin")
        if self._allowed or is_mcp(request.path):
            response.headers["Vary"] = "Origin"
        if origin is not None and (is_allowed_origin(origin, self._allowed) or self._may_read_mcp(request, origin)):
            allow_origin(response, origin)

    def _may_read_mcp(self, request: Request, origin: str) -> bool:
        if not is_origin(origin):
            return False
        # A preflight never carries the token. The page may send it, and is refused then if it is not genuine.
        if is_preflight(request):
            return is_mcp(request.path) and asks_for_authorization(request)
        return self._holds_token(request)

    def _holds_token(self, request: Request) -> bool:
        """Whether `request` is for MCP and has a token of this service, for any session, even if it has expired: the
        endpoint says what is wrong with it. Nothing is counted, so no page can spend its visitor's guesses."""
        if not is_mcp(request.path):
            return False
        try:
            self._signer.unsign(bearer_token(request), self._clock.now_ms())
        except TokenExpired:
            return True
        except InvalidToken:
            return False
        return True
