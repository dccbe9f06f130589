"""`/api/tokens`: an app's backend requests a token and gives it to a browser, which then reaches the threads of one
resource."""

from typing import Annotated

import msgspec
from msgspec import Meta

from waypost_worker.clock import to_iso
from waypost_worker.context.auth import issue_app_token, require_app_key
from waypost_worker.context.request_context import RequestContext
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import parse_app_id
from waypost_worker.limits import DEFAULT_APP_TOKEN_TTL_SECONDS, MAX_APP_TOKEN_TTL_SECONDS, MIN_APP_TOKEN_TTL_SECONDS


class TokenBody(Body, frozen=True):
    """What the token is for."""

    resource_id: str
    """The resource whose threads its bearer may reach."""
    ttl: Annotated[int, Meta(ge=MIN_APP_TOKEN_TTL_SECONDS, le=MAX_APP_TOKEN_TTL_SECONDS)] = (
        DEFAULT_APP_TOKEN_TTL_SECONDS
    )
    """The token's lifetime in seconds."""


class TokenView(msgspec.Struct, rename="camel"):
    """A token for one resource; it can't be revoked before it expires."""

    token: str
    """The token, to be sent as `Authorization: Bearer`."""
    resource_id: str
    """The resource that it is for."""
    expires_at: str
    """When it expires."""


async def create(context: RequestContext) -> Response:
    """Issue a token for a browser: it reaches the threads of one resource, and nothing else."""
    await require_app_key(context)
    body = await read_body(context.request, TokenBody)
    resource_id = parse_app_id(body.resource_id, "resourceId")
    token, expires_ms = issue_app_token(context, resource_id, body.ttl)
    return json_response(TokenView(token, resource_id, to_iso(expires_ms)), 201)
