"""`/api/sessions` of an app: lists, describes and deletes threads. A chat begins them; `thread_changes.py` too."""

from collections.abc import Mapping
from typing import Any

import msgspec

from waypost_worker.chat.deletion import delete_thread
from waypost_worker.context.auth import require_app
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.thread_list import list_threads
from waypost_worker.errors import BudgetSpent, ThreadNotFound
from waypost_worker.handlers.chat_request import checked_resource, named_resource
from waypost_worker.handlers.owned import owned_by_threads, visible_until
from waypost_worker.handlers.thread_view import DescribedThread, ThreadView, thread_view
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.query import flag, required_parameter, whole_number
from waypost_worker.ids import parse_app_id
from waypost_worker.limits import DEFAULT_LISTED_THREADS, MAX_LISTED_THREADS

FILTER = "metadata."


class ThreadBody(Body, frozen=True):
    """The thread that is meant."""

    thread_id: str
    """The thread's id."""
    resource_id: str | None = None
    """The resource that it belongs to."""


class DescribeBody(ThreadBody, frozen=True):
    """The thread to read, and perhaps to change."""

    metadata: dict[str, Any] | None = None
    """Replaces the thread's metadata; leave it out to read the thread."""


class ThreadsView(msgspec.Struct, omit_defaults=True):
    """A page of threads."""

    sessions: list[ThreadView]
    """The threads, the most recently used first."""
    count: int
    """Their number on this page."""
    cursor: str | None = None
    """The cursor of the next page; left out on the last one."""


class DeletedView(msgspec.Struct, rename="camel"):
    """What was deleted."""

    success: bool
    """Whether the thread existed."""
    thread_id: str
    """The thread."""
    resource_id: str
    """Its resource."""
    visible_until: str
    """Until then another location may show the thread, and what it owned."""


async def list_page(context: RequestContext) -> Response:
    """List the threads of a resource, the most recently used first."""
    token_resource = await require_app(context)
    named = (
        required_parameter(context.query, "resourceId")
        if token_resource is None
        else context.query.get("resourceId", token_resource)
    )
    resource_id = checked_resource(token_resource, named)
    limit = whole_number(context.query, "limit", DEFAULT_LISTED_THREADS, MAX_LISTED_THREADS)
    filters, archived = _filters(context.query), flag(context.query, "archived")
    page = await list_threads(context.kv, resource_id, limit, context.query.get("cursor") or None, filters, archived)
    return json_response(ThreadsView(list(map(thread_view, page.threads)), len(page.threads), page.cursor))


async def delete(context: RequestContext) -> Response:
    """Delete a thread with its conversation, its documents and its pages; its forks are kept."""
    token_resource = await require_app(context)
    body = await read_body(context.request, ThreadBody)
    resource_id, thread_id = _name(token_resource, body)
    thread = await context.threads().find(resource_id, thread_id)
    if thread is not None:
        try:
            await delete_thread(owned_by_threads(context), thread)
        except BudgetSpent as error:
            raise BudgetSpent(
                "The thread is deleted in part: send the request again, and it goes on.", error.retry_after_seconds
            ) from error
    return json_response(DeletedView(thread is not None, thread_id, resource_id, visible_until(context)))


async def describe(context: RequestContext) -> Response:
    """Read a thread; with `metadata`, replace its metadata first."""
    token_resource = await require_app(context)
    body = await read_body(context.request, DescribeBody)
    threads = context.threads()
    thread = await threads.find(*_name(token_resource, body))
    if thread is None:
        raise no_such_thread()
    if body.metadata is not None:
        thread = threads.change(thread, None, None, body.metadata)
        await threads.save(thread)
    return json_response(DescribedThread(thread_view(thread)))


def _name(token_resource: str | None, body: ThreadBody) -> tuple[str, str]:
    return named_resource(token_resource, body.resource_id), parse_app_id(body.thread_id, "threadId")


def no_such_thread() -> ThreadNotFound:
    """The error for a thread that this location does not see."""
    return ThreadNotFound("The resource has no such thread: it was never used, was deleted, or has expired.")


def _filters(query: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(FILTER): text for name, text in query.items() if name.startswith(FILTER)}
