"""What the types of the service don't say of their fields, since handlers check it with words of their own."""

from __future__ import annotations

from collections.abc import Mapping

from tools.openapi.grammars import (
    APP_ID,
    APP_TOKEN,
    CODE,
    CODE_AS_TYPED,
    CURSOR,
    ETAG,
    ID,
    INSTANCE,
    MCP_ADDRESS,
    MESSAGE,
    MESSAGE_ID,
    METADATA,
    TIME,
    TOKEN,
    TOOL_NAME,
    Json,
)
from waypost_worker.limits import (
    ADDRESS_SECRET_LENGTH,
    MAX_IMAGE_BYTES,
    MAX_PAGE_BYTES,
    MAX_QUESTION_LENGTH,
    MAX_THREAD_TITLE_LENGTH,
)

PUBLISHED: Mapping[str, str] = {"ForkOrigin": "Origin"}
"""Names by which the document already calls types that have another one in the code."""

BY_NAME: Mapping[str, Json] = {
    "createdAt": TIME,
    "visibleUntil": TIME,
    "completeUntil": TIME,
    "updatedAt": TIME,
    "expiresAt": TIME,
    "hostSeenAt": TIME,
    "timestamp": TIME,
    "threadId": APP_ID,
    "resourceId": APP_ID,
    "forkFromThreadId": APP_ID,
    "sessionId": ID,
    "intentId": ID,
    "messageId": MESSAGE_ID,
    "atMessageId": MESSAGE_ID,
    "etag": ETAG,
    "hostToken": TOKEN,
    "guestToken": TOKEN,
    "address": MCP_ADDRESS,
    "metadata": METADATA,
    "producer": ID,
}
"""A name that means the same wherever it stands."""


_IMPORTED_TIME: Json = {
    "description": "ISO 8601 has more forms than this pattern.",
    # Milliseconds from the year 1 to the year 9999.
    "minimum": -62_135_596_800_000,
    "maximum": 253_402_300_799_999,
    "pattern": r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?Z?$",
}

TITLE: Json = {"pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", "maxLength": MAX_THREAD_TITLE_LENGTH}

_RESOURCE: Json = {**APP_ID, "description": f"{APP_ID['description']} May be left out with an app token."}

BY_FIELD: Mapping[str, Json] = {
    "Session.code": CODE,
    "Opened.code": CODE,
    "Detailed.code": CODE,
    "Joined.code": CODE,
    "Address.code": CODE,
    "Detailed.tools": {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}},
    "Tools.tools": {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}},
    "ToolsBody.tools": {
        "items": {"$ref": "#/components/schemas/Tool"},
        "description": (
            "Their names are unique; so are their mapped names, unless the session has `mapToolNames` false."
        ),
    },
    "JoinBody.id": ID,
    "LeaveBody.instance": INSTANCE,
    "Ready.instance": INSTANCE,
    "Superseded.since": TIME,
    "Token.token": APP_TOKEN,
    "RequestBody.code": CODE_AS_TYPED,
    "RequestBody.id": ID,
    "RequestBody.tool": TOOL_NAME,
    "RequestBody.settled": {"description": "Below `seq`."},
    "ResponseBody.code": CODE_AS_TYPED,
    "ResponseBody.id": ID,
    "CancelBody.code": CODE_AS_TYPED,
    "AckBody.code": CODE_AS_TYPED,
    "AckBody.cursors": {"items": CURSOR},
    "Poll.messages": {"items": {"$ref": "#/components/schemas/Line"}},
    "VoiceBody.question": {
        # Control characters become nothing or a space before it is looked at.
        "pattern": r"[^\s\x00-\x1f\x7f-\x9f\ufeff]",
        "maxLength": MAX_QUESTION_LENGTH,
    },
    "VoiceBody.sessionId": ID,
    "ChatBody.message": MESSAGE,
    "TabBody.code": CODE_AS_TYPED,
    "TextPart.text": MESSAGE,
    "ImageUrl.url": {
        "pattern": r"^data:image/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/]+={0,2}$",
        "maxLength": MAX_IMAGE_BYTES,
        "description": f"The images of a message have at most {MAX_IMAGE_BYTES} bytes together.",
    },
    "ForkBody.message": MESSAGE,
    "ForkBody.resourceId": _RESOURCE,
    "ThreadBody.resourceId": _RESOURCE,
    "DescribeBody.resourceId": _RESOURCE,
    "ForkBody.threadId": {**APP_ID, "description": f"{APP_ID['description']} Not that of the parent."},
    "PageBody.title": {"pattern": r"^[^\x00-\x1f\x7f]*$"},
    "PageBody.html": {
        "maxLength": MAX_PAGE_BYTES,
        "description": f"At most {MAX_PAGE_BYTES} bytes as UTF-8.",
    },
    "NamedPageTool.name": TOOL_NAME,
    "UiBody.id": APP_ID,
    # Of a message of any age: it is compared, and not checked.
    "UiBody.messageId": {},
    "UiBody.messages": {
        "contains": {
            "required": ["role", "id", "parts"],
            "properties": {
                "role": {"const": "user"},
                "id": MESSAGE_ID,
                "parts": {
                    "contains": {"required": ["text"], "properties": {"type": {"const": "text"}, "text": MESSAGE}}
                },
            },
        },
    },
    "ImportedMessage.toolEvents": {
        "description": "As they were exported: each call once, its progress and its result behind it, places in order."
    },
    "PopBody.id": MESSAGE_ID,
    "BeginBody.resourceId": _RESOURCE,
    "ChangeBody.resourceId": _RESOURCE,
    "BeginBody.title": TITLE,
    "ChangeBody.title": TITLE,
    "Conversation.before": MESSAGE_ID,
    "MessageBody.id": MESSAGE_ID,
    "ImportedMessage.id": MESSAGE_ID,
    "ImportedMessage.timestamp": _IMPORTED_TIME,
    "ImportedMessage.createdAt": _IMPORTED_TIME,
    "AddressBody.secret": {"pattern": f"^[A-Za-z0-9_-]{{{ADDRESS_SECRET_LENGTH}}}$"},
    "OpenBody.addressSecret": {"pattern": f"^[A-Za-z0-9_-]{{{ADDRESS_SECRET_LENGTH}}}$"},
    "ImportBody.sessionId": {},
    # What was imported is not looked at.
    "Origin.threadId": {},
    "Origin.messageId": {},
}
"""`component.field`, where the same name means different things."""

_CALL: Json = {"required": ["tool"], "properties": {"skip": {"const": False}}}
_NUMBERED: Json = {
    "required": ["producer", "seq"],
    "properties": {"producer": {"type": "string"}, "seq": {"type": "integer"}},
}
_UNNUMBERED: Json = {
    "properties": {"producer": {"type": "null"}, "seq": {"type": "null"}, "settled": {"const": 0}},
}
_SKIP: Json = {
    "required": ["skip", "producer", "seq"],
    "properties": {
        "skip": {"const": True},
        "producer": {"type": "string"},
        "seq": {"type": "integer"},
        "tool": False,
        "args": False,
    },
}


def _both(one: Json, other: Json) -> Json:
    return {
        "required": one.get("required", []) + other.get("required", []),
        "properties": {**one["properties"], **other["properties"]},
    }


_BY_ROLE: Json = {
    "anyOf": [
        {
            "required": ["toolCalls"],
            "properties": {
                "role": {"const": "assistant"},
                "toolCallId": {"type": "null"},
                "toolCalls": {"minItems": 1},
            },
        },
        {
            "properties": {
                "role": {"enum": ["assistant", "user", "system"]},
                "content": {"not": {"type": "null"}},
                "toolCallId": {"type": "null"},
                "toolCalls": {"maxItems": 0},
            }
        },
        {
            "required": ["toolCallId"],
            "properties": {
                "role": {"const": "tool"},
                "content": {"not": {"type": "null"}},
                "toolCallId": {"type": "string"},
                "toolCalls": {"maxItems": 0},
            },
        },
    ]
}
"""Only an assistant's message calls tools; only a tool's message answers a call, and it does."""

_OF_ANSWERS: Json = {
    "anyOf": [
        {"properties": {"toolEvents": {"maxItems": 0}}},
        {"properties": {"role": {"const": "assistant"}, "content": {"type": "string"}}},
    ]
}
"""Only an answer, whose content is a text, has tool events."""

_ONE_TIME: Json = {"anyOf": [{"properties": {name: {"type": "null"}}} for name in ("timestamp", "createdAt")]}

WHOLE: Mapping[str, Json] = {
    "MessageBody": _BY_ROLE,
    "ImportedMessage": {"allOf": [_BY_ROLE, _OF_ANSWERS, _ONE_TIME]},
    "RequestBody": {"anyOf": [_both(_CALL, _UNNUMBERED), _both(_CALL, _NUMBERED), _SKIP]},
    "ResponseBody": {"oneOf": [{"required": ["result"]}, {"required": ["error"]}]},
    "VoiceBody": {"required": ["question", "sessionId"]},
    # A null is as none.
    "TabBody": {
        "oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("code", "token")]
    },
    # Who has no token that names the resource must name it.
    "ForkBody": {"required": ["forkFromThreadId", "threadId", "resourceId"]},
    "ThreadBody": {"required": ["threadId", "resourceId"]},
    "DescribeBody": {"required": ["threadId", "resourceId"]},
    "BeginBody": {"required": ["threadId", "resourceId"]},
    "UiBody": {
        "required": ["id", "messages"],
        "description": (
            "What `DefaultChatTransport` of the AI SDK sends: https://ai-sdk.dev/docs/ai-sdk-ui/transport. `id` is the "
            "thread. The last message of the user is sent to the model; its text must not be empty. If the last "
            "message is an answer with outputs of the page's `tools`, it goes on instead. Apps add fields of their own."
        ),
    },
}
"""Keywords for a component as a whole."""

TOOL: Json = {
    "title": "Tool",
    "type": "object",
    "description": "A tool as in MCP; other fields are stored unchanged. A field that is null is left out.",
    "properties": {
        "name": {**TOOL_NAME, "description": "The name by which it is called."},
        "title": {"type": ["string", "null"], "description": "A name for people."},
        "description": {"type": ["string", "null"], "description": "What it does, for a model that chooses a tool."},
        "inputSchema": {
            "type": ["object", "null"],
            "description": "JSON Schema of the arguments, which are an object. Without a `type` it gets `object`.",
        },
        "outputSchema": {"type": ["object", "null"], "description": "JSON Schema of the result."},
        "annotations": {"type": ["object", "null"], "description": "Hints such as `readOnlyHint`."},
        "execution": {"type": ["object", "null"], "description": "Whether MCP clients call it as a task."},
        "icons": {
            "type": ["array", "null"],
            "description": "Pictures of it.",
            "items": {
                "type": "object",
                "properties": {"src": {"type": "string", "description": "The picture's URL."}},
                "required": ["src"],
            },
        },
        "_meta": {"type": ["object", "null"], "description": "Anything else, for clients that know it."},
    },
    "required": ["name"],
}
