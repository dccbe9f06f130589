"""`/api/pages/{intentId}`, and `/pages/{intentId}`: the page itself, without the rights of this origin.

The intent's id can be passed on: it lets its holder read the page. The session's id is a secret: it lets its holder
change the page.
"""

import re
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from waypost_worker.clock import to_iso
from waypost_worker.context.auth import owned_id
from waypost_worker.context.request_context import RequestContext
from waypost_worker.documents.etag import parse_conditions
from waypost_worker.documents.page import PageStore, is_owner
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import BodyTooLarge, InvalidBody
from waypost_worker.http.cross_origin import is_clicked, is_window, refuse_origin
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Request, Response, json_response, tagged_response
from waypost_worker.http.query import required_parameter
from waypost_worker.ids import parse_id
from waypost_worker.kv.keys import session_pages_prefix
from waypost_worker.limits import MAX_PAGE_BODY_BYTES, MAX_PAGE_BYTES, MAX_PAGE_TITLE_LENGTH
from waypost_worker.security.rate_limits import Limit

POLICY = "; ".join((
    # Without allow-same-origin the page has an opaque origin: it can't reach what this origin stores in the browser,
    # and the API treats its requests as those of another origin. A window that it opens is confined as well.
    # allow-forms is for scripts: without it, a form has no submit event.
    "sandbox allow-scripts allow-forms allow-modals allow-popups",
    "default-src 'none'",
    # A page is one document, so its scripts and styles are inline; libraries may come from any host.
    "script-src 'unsafe-inline' https:",
    "style-src 'unsafe-inline' https:",
    "img-src https: data: blob:",
    "font-src https: data:",
    "media-src https: data: blob:",
    # No fetch, no WebSocket, no form that leaves the page: it must not call APIs that need no token.
    "connect-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
    # The console may show it; other sites may link to it.
    "frame-ancestors 'self'",
))  # fmt: skip
"""What a page may do: https://www.w3.org/TR/CSP3/. It can still load images, and thereby tell its author that it
was viewed; it has no data of this origin to send."""

HTML_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

# An empty href is the address itself; nothing of the request stands in the text.
OFFER = b"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Open this page?</title><p>Another site has sent you here. <a href="">Open the page</a></p></html>"""
"""What a browser shows that does not say whether a person followed the link: the link once more."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class PageBody(Body, frozen=True):
    """A page, and the session it belongs to."""

    html: str
    """The page's HTML."""
    session_id: str
    """The session that the page belongs to, by the secret id that owns it."""
    title: Annotated[str, Meta(max_length=MAX_PAGE_TITLE_LENGTH)] = ""
    """A name for lists."""


class PageView(msgspec.Struct, rename="camel"):
    """A page."""

    intent_id: str
    """The id under which the page is shown."""
    html: str
    """The page's HTML, as it was put."""
    title: str
    """Its name for lists; may be empty."""
    updated_at: str
    """When it was last put."""
    expires_at: str
    """When it expires, unless it is put again."""
    session_id: str | UnsetType = UNSET
    """The session that it belongs to, if the request named that one."""


class ListedPageView(msgspec.Struct, rename="camel"):
    """A page without its HTML."""

    intent_id: str
    """The id under which the page is shown."""
    title: str
    """Its name for lists; may be empty."""
    etag: str
    """Its version, as the header `ETag` has it."""
    size: int
    """Bytes of its HTML."""
    updated_at: str
    """When it was last put."""
    expires_at: str
    """When it expires, unless it is put again."""


class StoredPageView(ListedPageView):
    """The same, with the URL under which the page is shown."""

    url: str
    """Where a browser is shown the page, for everybody who knows the URL."""


class PagesView(msgspec.Struct):
    """The pages of a session."""

    pages: list[ListedPageView]
    """Each page."""
    count: int
    """Their number."""


async def put(context: RequestContext) -> Response:
    """Store a page for a day."""
    intent_id, conditions = _intent_id(context), parse_conditions(context.request.headers.get)
    body = await read_body(context.request, PageBody, MAX_PAGE_BODY_BYTES)
    session_id = await owned_id(context, body.session_id, "sessionId")
    if _CONTROL.search(body.title):
        raise InvalidBody("A title has no line breaks and no other control characters.")
    if len(body.html.encode()) > MAX_PAGE_BYTES:
        raise BodyTooLarge(f"The HTML of a page may have {MAX_PAGE_BYTES} bytes.")
    await context.limits.spend(Limit.APPEND, session_pages_prefix(session_id))
    version, is_new = await _store(context).put(intent_id, session_id, body.html, body.title, conditions)
    view = StoredPageView(*_listed(intent_id, version), f"/pages/{intent_id}")
    return json_response(view, 201 if is_new else 200, {"ETag": version.etag})


async def read(context: RequestContext) -> Response:
    """Read a page as JSON."""
    intent_id = _intent_id(context)
    session_id = parse_id(context.query["sessionId"], "sessionId") if "sessionId" in context.query else None
    version, html = await _store(context).read(intent_id, parse_conditions(context.request.headers.get))
    body = None
    if html is not None:
        shown = UNSET if session_id is None or not is_owner(version, session_id) else session_id
        times = to_iso(version.updated_ms), to_iso(version.expires_ms)
        body = msgspec.json.encode(PageView(intent_id, html, version.title, *times, shown))
    return tagged_response(body, version.etag, {"Content-Type": "application/json"})


async def show(context: RequestContext) -> Response:
    """Show a page as a web page, sandboxed."""
    version, html = await _store(context).read(_intent_id(context), parse_conditions(context.request.headers.get))
    return tagged_response(None if html is None else html.encode(), version.etag, HTML_HEADERS)


def offer(request: Request) -> Response | None:
    """The response to a page of another site that has `request` made; `None` if a person followed its link.

    Raises:
        OriginNotAllowed: it does not open the page in a window, but loads it as a picture or a frame, or ahead of time.
    """
    if not is_window(request):
        refuse_origin()
    if is_clicked(request):
        return None
    return Response(202, OFFER, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


async def delete(context: RequestContext) -> Response:
    """Delete a page."""
    session_id = await owned_id(context, required_parameter(context.query, "sessionId"), "sessionId")
    intent_id, conditions = _intent_id(context), parse_conditions(context.request.headers.get)
    await context.limits.spend(Limit.APPEND, session_pages_prefix(session_id))
    await _store(context).delete(intent_id, session_id, conditions)
    return Response(204)


async def list_pages(context: RequestContext) -> Response:
    """List the pages of a session, sorted by intent id."""
    found = await _store(context).list(await owned_id(context, context.params["sid"], "session id"))
    views = [ListedPageView(*_listed(intent_id, version)) for intent_id, version in found.items()]
    return json_response(PagesView(views, len(views)))


def _store(context: RequestContext) -> PageStore:
    return PageStore(context.kv, context.clock)


def _intent_id(context: RequestContext) -> str:
    return parse_id(context.params["intentId"], "intent's id")


def _listed(intent_id: str, version: Version) -> tuple[str, str, str, int, str, str]:
    times = to_iso(version.updated_ms), to_iso(version.expires_ms)
    return intent_id, version.title, version.etag, version.size, *times
