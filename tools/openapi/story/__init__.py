"""The examples: one story, told in calls.

It is played when the document is made, on the service in memory, so that each example of a reply is one that was given;
and once more by the tests, over HTTP, against the Worker.
"""

from __future__ import annotations

from tools.openapi.story.calls import SESSIONS
from tools.openapi.story.keepsakes import DOCUMENTS, PAGES
from tools.openapi.story.step import Step
from tools.openapi.story.tab_tools import MCP
from tools.openapi.story.talks import CHATS, CONVERSATIONS

SERVICE = (
    Step("GET /health", "now", 200),
    Step("GET /debug/objects", "where it is off", 404),
)

STORY: tuple[Step, ...] = (*SESSIONS, *MCP, *DOCUMENTS, *PAGES, *CHATS, *CONVERSATIONS, *SERVICE)
