"""What the deletion of a thread, or of a resource, works with."""

from waypost_worker.chat.deletion import Owned
from waypost_worker.clock import to_iso
from waypost_worker.context.request_context import RequestContext
from waypost_worker.documents.document import DocumentStore
from waypost_worker.documents.page import PageStore
from waypost_worker.limits import REORDER_WINDOW_SECONDS


def owned_by_threads(context: RequestContext) -> Owned:
    """The stores of what threads own."""
    documents, pages = DocumentStore(context.kv, context.clock), PageStore(context.kv, context.clock)
    return Owned(context.kv, context.chat_context(), documents, pages)


def visible_until(context: RequestContext) -> str:
    """Until when another location may show what was deleted just now."""
    return to_iso(context.clock.now_ms() + REORDER_WINDOW_SECONDS * 1000)
