"""The page on which a session's tab can be opened again."""

from urllib.parse import urlsplit

from waypost_worker.context.request_context import RequestContext
from waypost_worker.sessions.session import Session

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""Hosts on which the deployment is served without TLS."""


def page_link(context: RequestContext, session: Session) -> str | None:
    """The host's own page (`data.url`), or this deployment's; `None` if its address is unknown."""
    if url := session.page_url:
        return url
    host = context.request.headers.get("host")
    if not host:
        return None
    is_local = urlsplit(f"//{host}").netloc.rpartition(":")[0] in LOCAL or host in LOCAL
    return f"{'http' if is_local else 'https'}://{host}/"
