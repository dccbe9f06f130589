"""The example calls of the document, in the order in which they run.

They run when the document is made, on the service in memory, so that each example of a response is a real one; and
again in the tests, over HTTP, against the Worker.
"""

from __future__ import annotations

from tools.openapi.example_calls.chats import CHATS, CONVERSATIONS
from tools.openapi.example_calls.documents import DOCUMENTS, PAGES
from tools.openapi.example_calls.mcp import MCP
from tools.openapi.example_calls.sessions import CALLS, SESSIONS
from tools.openapi.example_calls.step import Step

SERVICE = (
    Step("GET /health", "now", 200),
    Step("GET /metrics", "without an app's key", 401),
    Step("GET /debug/objects", "where it is off", 404),
)

EXAMPLE_CALLS: tuple[Step, ...] = (*SESSIONS, *CALLS, *MCP, *CHATS, *CONVERSATIONS, *DOCUMENTS, *PAGES, *SERVICE)
