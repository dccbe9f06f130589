"""`/api/resources/{resourceId}`: deletes and exports all threads of a resource, with all that they own."""

import msgspec

from waypost_worker.chat.deletion import delete_resource
from waypost_worker.context.auth import require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.handlers.chat_request import checked_resource
from waypost_worker.handlers.owned import owned_by_threads, visible_until
from waypost_worker.handlers.resource_export import export_part
from waypost_worker.http.messages import Response, json_response


class DeletedResourceView(msgspec.Struct, rename="camel"):
    """How far the deletion of a resource has come."""

    resource_id: str
    """The resource."""
    deleted: int
    """Threads that this request has deleted."""
    done: bool
    """Nothing is left that this location sees; otherwise send the same request again."""
    visible_until: str
    """Until then another location may show what was deleted. What was written there within as long before may be left,
    so a deletion that must be complete is repeated then."""


async def delete(context: RequestContext) -> Response:
    """Delete all threads of a resource with their conversations, documents and pages."""
    resource_id = await _resource(context)
    deleted = await delete_resource(owned_by_threads(context), resource_id)
    return json_response(DeletedResourceView(resource_id, deleted.threads, deleted.is_done, visible_until(context)))


async def export(context: RequestContext) -> Response:
    """Export all threads of a resource with their conversations, documents and pages, as JSON lines."""
    resource_id = await _resource(context)
    lines = await export_part(context, resource_id, context.query.get("cursor") or None)
    headers = {
        "Content-Type": "application/x-ndjson",
        "Content-Disposition": 'attachment; filename="resource.jsonl"',
        "Cache-Control": "no-store",
    }
    return Response(200, lines, headers)


async def _resource(context: RequestContext) -> str:
    return checked_resource(await require_app(context), context.params["resourceId"])
