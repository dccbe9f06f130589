"""A tab with tools that MCP clients are tried on; among them those that the conformance runner asks servers to have."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.http_api import Session
from tests.support.steady_host import SteadyHost

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
IMAGE = {"type": "image", "data": PIXEL, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}


def text(words: str) -> dict[str, Any]:
    """A piece of content."""
    return {"type": "text", "text": words}


def embedded(uri: str, media_type: str, words: str) -> dict[str, Any]:
    """A resource inside of a result."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": media_type, "text": words}}


def tool(name: str, support: str = "", /, **properties: Any) -> dict[str, Any]:
    """A tool as a host offers it; `support` of tasks, if it says so."""
    found: dict[str, Any] = {
        "name": name,
        "description": f"The tool {name}.",
        "inputSchema": {"type": "object", "properties": properties},
    }
    return found | ({"execution": {"taskSupport": support}} if support else {})


SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
TOOLS = [
    tool("echo", n=NUMBER),
    tool("slow", seconds=NUMBER),
    tool("report"),
    tool("never"),
    tool("test_simple_text"),
    tool("test_image_content"),
    tool("test_audio_content"),
    tool("test_embedded_resource"),
    tool("test_multiple_content_types"),
    tool("test_error_handling"),
    tool("test_tool_with_progress"),
    tool("test_reconnection"),
    tool("greet", name=TEXT),
    tool("slow_compute", "optional", seconds=NUMBER, label=TEXT),
    tool("failing_job", "required"),
    tool("protocol_error_job", "optional"),
    {"name": "json_schema_2020_12_tool", "description": "A schema.", "inputSchema": SCHEMA_2020_12},
    tool(
        "test_x_mcp_header",
        region={"type": "string", "x-mcp-header": "Region"},
        priority={"type": "integer", "x-mcp-header": "Priority"},
        verbose={"type": "boolean", "x-mcp-header": "Verbose"},
    ),
]
CONTENT = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [
        embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        IMAGE,
        embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
}
ERRORS = {
    "test_error_handling": ("tool_error", "This tool intentionally returns an error for testing"),
    "failing_job": ("tool_error", "the job failed"),
    "protocol_error_job": ("unknown_tool", "it is gone"),
}


class Tab(SteadyHost):
    """Answers each call in a thread of its own, so that a slow one holds up none. `asked`: the requests that came."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, lambda _request: None)
        self.asked: list[dict[str, Any]] = []
        session.put_tools(*TOOLS)

    def _run(self, request: dict[str, Any]) -> None:
        if request["id"] not in self.runs:
            self.runs[request["id"]] += 1
            self.asked.append(request)
            threading.Thread(target=self._serve_one, args=(request,), daemon=True).start()

    def _serve_one(self, request: dict[str, Any]) -> None:
        id, name, args = request["id"], request["tool"], request["args"]
        answer = self._session.answer
        if name == "never":
            return
        if name in ("report", "test_tool_with_progress"):
            for progress in (0, 50, 100):
                answer(id, {"progress": progress, "total": 100, "message": f"{progress} %"}, final=False)
                time.sleep(0.05)
        seconds = args.get("seconds", {"test_reconnection": 2, "failing_job": 1}.get(name, 0))
        time.sleep(seconds)
        if name in ERRORS:
            code, message = ERRORS[name]
            answer(id, error={"code": code, "message": message})
        elif name in CONTENT:
            answer(id, {"content": CONTENT[name]})
        elif name == "greet":
            answer(id, {"content": [text(f"Hello, {args.get('name')}!")]})
        elif name in {offered["name"] for offered in TOOLS}:
            answer(id, args if name == "echo" else {"content": [text("done")]})
        else:
            answer(id, error={"code": "unknown_tool", "message": f'This tab has no tool "{name}".'})
