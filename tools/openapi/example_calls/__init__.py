"""The examples: one story, told in calls.

It is played when the document is made, on the service in memory, so that each example of a reply is one that was given;
and once more by the tests, over HTTP, against the Worker.
"""

from __future__ import annotations

from tools.openapi.example_calls.chats import CHATS, CONVERSATIONS
from tools.openapi.example_calls.documents import DOCUMENTS, PAGES
from tools.openapi.example_calls.mcp import MCP
from tools.openapi.example_calls.sessions import SESSIONS
from tools.openapi.example_calls.step import Step

SERVICE = (
    Step("GET /health", "now", 200),
    Step("GET /debug/objects", "where it is off", 404),
)

STORY: tuple[Step, ...] = (*SESSIONS, *MCP, *DOCUMENTS, *PAGES, *CHATS, *CONVERSATIONS, *SERVICE)
