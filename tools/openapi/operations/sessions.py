"""`/api/sessions`: sessions of hosts, and their codes."""

from __future__ import annotations

from tools.openapi.parts import EITHER, HOST, JSON, NOBODY_KNOWN, Link, Operation, Reply
from tools.openapi.problems import BODY, CODE, GUEST, STORAGE
from tools.openapi.problems import HOST as HOST_PROBLEMS
from waypost_worker.errors import (
    AddressNotAllowed,
    AddressWithdrawn,
    CodeClosed,
    InvalidId,
    InvalidParameter,
    InvalidTool,
    SessionTooOld,
)
from waypost_worker.handlers.sessions import (
    DetailedView,
    JoinBody,
    JoinedView,
    LeaveBody,
    OpenBody,
    OpenedView,
    SessionView,
    ToolsBody,
    ToolsView,
)

_CODE = {"code": "$response.body#/code"}
_OF_PATH = {"code": "$request.path.code"}
_AS_HOST = "With the hostToken of this reply."

OPERATIONS = {
    "POST /api/sessions": Operation(
        "openSession",
        "sessions",
        NOBODY_KNOWN,
        {201: Reply("The session, and the token of its host.", {JSON: OpenedView}, ("Location",))},
        (*BODY, AddressNotAllowed, AddressWithdrawn, *STORAGE),
        body={JSON: OpenBody},
        body_is_needed=False,
        links={
            201: (
                Link("readSession", _CODE),
                Link("joinSession", _CODE),
                Link("putTools", _CODE, description=_AS_HOST),
                Link("extendSession", _CODE, description=_AS_HOST),
                Link("endSession", _CODE, description=_AS_HOST),
                Link("sendRequest", body=_CODE),
                Link("pollMessages", {"query.code": "$response.body#/code"}),
                Link("streamMessages", {"query.code": "$response.body#/code"}),
            )
        },
        description=(
            "The code is for guests; the `hostToken` is the host's alone, and shown only here. The session expires "
            "after `ttl` seconds, unless it is renewed; an open stream of the host renews it."
        ),
    ),
    "GET /api/sessions/{code}": Operation(
        "readSession",
        "sessions",
        EITHER,
        {200: Reply("The session.", {JSON: DetailedView})},
        (*GUEST, *STORAGE),
        description="Reading a session does not renew it. A host that has just come or gone may be shown late.",
    ),
    "DELETE /api/sessions/{code}": Operation(
        "endSession",
        "sessions",
        HOST,
        {204: Reply("The session is ended; its streams end with the event `end`.")},
        (*HOST_PROBLEMS, *STORAGE),
        links={204: (Link("readSession", _OF_PATH, description="Refused with 410 from now on."),)},
        description=(
            "Its streams end with the event `end`, and what is still queued can't be read any more. Its documents and "
            "pages stay until they expire."
        ),
    ),
    "POST /api/sessions/{code}/extend": Operation(
        "extendSession",
        "sessions",
        HOST,
        {200: Reply("The session as it is now.", {JSON: SessionView})},
        (*HOST_PROBLEMS, SessionTooOld, *STORAGE),
        description=(
            "An open stream of the host does this by itself. No renewal goes beyond 24 hours after the session was "
            "opened; it is refused with `session_too_old` then."
        ),
        links={200: (Link("readSession", _OF_PATH),)},
    ),
    "POST /api/sessions/{code}/join": Operation(
        "joinSession",
        "sessions",
        NOBODY_KNOWN,
        {200: Reply("A token that expires at the greatest age of the session.", {JSON: JoinedView})},
        (*BODY, *CODE, InvalidId, CodeClosed, *STORAGE),
        body={JSON: JoinBody},
        body_is_needed=False,
        description=(
            "If `REQUIRE_TOKEN` is `once`, the code admits one guest; the next is refused with "
            "`code_closed`. Joining again with the same `id` returns a token again, so choose an id that is secret."
        ),
        links={
            200: (
                Link("sendRequest", body=_CODE, description="With the guestToken of this reply."),
                Link("pollMessages", {"query.code": "$response.body#/code"}),
            )
        },
    ),
    "POST /api/sessions/{code}/leave": Operation(
        "leaveSession",
        "sessions",
        HOST,
        {204: Reply("The instance counts as gone.")},
        (*BODY, *HOST_PROBLEMS, InvalidParameter, *STORAGE),
        body={JSON: LeaveBody},
        body_is_needed=False,
        description=(
            "Requests stay queued. A goodbye counts for its own instance only: a page that is loaded again stays "
            "online, whichever arrives first, the goodbye of the old page or the stream of the new one."
        ),
        links={204: (Link("readSession", _OF_PATH, description="`hostOnline` is false now."),)},
    ),
    "PUT /api/sessions/{code}/tools": Operation(
        "putTools",
        "sessions",
        HOST,
        {200: Reply("The tools that the session now offers.", {JSON: ToolsView})},
        (*BODY, InvalidTool, *HOST_PROBLEMS, *STORAGE),
        body={JSON: ToolsBody},
        description=(
            "MCP clients read a list of tools as a whole: one definition that they can't read costs all the others. "
            "What is plain is normalised: fields that are null are left out, and a schema without a `type` gets "
            "`object`. Everything else is refused with `invalid_tool`: `tools` names each faulty tool and the place in "
            "it (a JSON pointer), and the previous list stays."
        ),
        links={200: (Link("readSession", _OF_PATH),)},
    ),
}
