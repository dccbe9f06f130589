"""The grammars of ids, codes and the like, as JSON Schema.

A `pattern` stands where it is exactly what is accepted; where no portable one could be, a `format` names what the
description says.
"""

from __future__ import annotations

from typing import Any

from waypost_worker.ids import CROCKFORD
from waypost_worker.limits import (
    MAX_APP_ID_KEY_BYTES,
    MAX_APP_ID_LENGTH,
    MAX_CHAT_MESSAGE_LENGTH,
    MAX_CODE_LENGTH,
    MAX_ID_LENGTH,
    MAX_INSTANCE_ID_LENGTH,
    MAX_MESSAGE_ID_LENGTH,
    MAX_METADATA_BYTES,
    MAX_METADATA_NAME_LENGTH,
    MAX_TOOL_NAME_LENGTH,
    MCP_ADDRESS_LENGTH,
    MIN_CODE_LENGTH,
    MIN_INSTANCE_ID_LENGTH,
)

Json = dict[str, Any]

TIME: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
}
_LENGTHS = f"{{{MIN_CODE_LENGTH},{MAX_CODE_LENGTH}}}"
CODE: Json = {"type": "string", "pattern": f"^[{CROCKFORD}]{_LENGTHS}$"}
CODE_AS_TYPED: Json = {
    "type": "string",
    "pattern": f"^([0-9A-TV-Za-tv-z][ -]?){_LENGTHS}$",
    "description": (
        "A session's code, as a person may type it: any case, with spaces or any dashes, O for 0, I or L for 1."
    ),
}
MCP_ADDRESS: Json = {"type": "string", "pattern": f"^[{CROCKFORD.lower()}]{{{MCP_ADDRESS_LENGTH}}}$"}
CODE_OR_ADDRESS: Json = {
    "description": "A session's code, or an MCP address.",
    "anyOf": [CODE_AS_TYPED, {**MCP_ADDRESS, "description": "An MCP address: the newest session of its browser."}],
}
ID: Json = {
    "type": "string",
    "pattern": f"^[A-Za-z0-9._~-]{{1,{MAX_ID_LENGTH}}}$",
}
INSTANCE: Json = {
    "type": "string",
    "pattern": f"^[A-Za-z0-9_-]{{{MIN_INSTANCE_ID_LENGTH},{MAX_INSTANCE_ID_LENGTH}}}(\\.[1-9][0-9]{{0,14}})?$",
    "description": "An id that a host made up at random, or what the event `ready` has as its `instance`.",
}
ID_IN_PATH: Json = {
    "type": "string",
    # `.` and `..` never arrive: every client takes them for steps in the path.
    "pattern": r"^(\.*[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3,})$",
    "maxLength": MAX_ID_LENGTH,
}
APP_ID: Json = {
    "type": "string",
    "format": "app-id",
    "minLength": 1,
    "maxLength": MAX_APP_ID_LENGTH,
    "description": (
        f"An id that an app chooses: 1 to {MAX_APP_ID_LENGTH} visible characters, no white space at the ends, not `.` "
        f"or `..`, at most {MAX_APP_ID_KEY_BYTES} bytes when percent-encoded."
    ),
}
MESSAGE_ID: Json = {
    "type": "string",
    "format": "message-id",
    "minLength": 1,
    "maxLength": MAX_MESSAGE_ID_LENGTH,
    "description": f"1 to {MAX_MESSAGE_ID_LENGTH} visible characters.",
}
CURSOR: Json = {
    "type": "string",
    "format": "cursor",
    "description": "The `id` of an event of this session and role. To be passed on as it came.",
}
ETAG: Json = {"type": "string", "pattern": '^"[0-9a-f]{32}"$'}
_TAG = r'(W/)?"[^"\x00-\x20\x7f]*"'
ETAGS: Json = {"type": "string", "pattern": rf"^[ \t,]*(\*|{_TAG}([ \t]*,[ \t,]*{_TAG})*)?[ \t,]*$"}
TOOL_NAME: Json = {"type": "string", "pattern": f"^[A-Za-z0-9_./-]{{1,{MAX_TOOL_NAME_LENGTH}}}$"}
_ENDING = r"[1-9][0-9]{0,11}\.[A-Za-z0-9_-]{43}$"
TOKEN: Json = {"type": "string", "pattern": rf"^wp1\.(host|guest)\.[{CROCKFORD}]{_LENGTHS}\.{_ENDING}"}
APP_TOKEN: Json = {"type": "string", "pattern": rf"^wp1\.app\.[A-Za-z0-9_-]+\.{_ENDING}"}
MESSAGE: Json = {
    "type": "string",
    # Something besides what Unicode and Python call white space.
    "pattern": r"[^\s\x1c-\x1f\x85\ufeff]",
    "maxLength": MAX_CHAT_MESSAGE_LENGTH,
}
METADATA: Json = {
    "type": "object",
    "propertyNames": {"minLength": 1, "maxLength": MAX_METADATA_NAME_LENGTH},
    "description": f"The app's own, at most {MAX_METADATA_BYTES} bytes as JSON.",
}
