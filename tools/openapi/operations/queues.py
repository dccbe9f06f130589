"""`/api/request`, `/api/response`, `/api/ack`: what guests ask and the host answers."""

from __future__ import annotations

from tools.openapi.parts import EITHER, GUEST, HOST, JSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import BODY, STORAGE, STREAMS
from tools.openapi.problems import GUEST as GUEST_PROBLEMS
from tools.openapi.problems import HOST as HOST_PROBLEMS
from waypost_worker.errors import AlreadyAnswered, IdInUse, InvalidCursor, InvalidId
from waypost_worker.handlers.queues import (
    AckBody,
    AcknowledgedView,
    CancelBody,
    QueuedView,
    RequestBody,
)
from waypost_worker.handlers.response_body import ResponseBody
from waypost_worker.limits import MAX_WAIT_SECONDS

WAIT = Parameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
    "Seconds to wait if there is nothing yet: digits and a point, without an exponent.",
)
_QUEUED = Reply("The response is in KV.", {JSON: QueuedView})

OPERATIONS = {
    "POST /api/request": Operation(
        "sendRequest",
        "calls",
        GUEST,
        {
            200: Reply("The final response.", {JSON: {"$ref": "#/components/schemas/Answer"}}),
            202: Reply("The request is in KV; there is no response yet.", {JSON: QueuedView}),
        },
        (*BODY, InvalidId, *GUEST_PROBLEMS, IdInUse, *STREAMS, *STORAGE),
        description=(
            "202 says that the request is stored, not that a host has it. With an `id` it can be sent again after any "
            "failure, and returns the response once there is one; with `?wait=` the reply itself waits for it."
        ),
        parameters=(WAIT,),
        body={JSON: RequestBody},
        links={
            202: (
                Link("cancelRequest", {"path.id": "$response.body#/id"}, {"code": "$request.body#/code"}),
                Link(
                    "sendResponse",
                    body={"code": "$request.body#/code", "id": "$response.body#/id"},
                    description="As the host.",
                ),
                Link("pollMessages", {"query.code": "$request.body#/code"}),
                Link(
                    "acknowledge",
                    body={"code": "$request.body#/code", "cursors": ["$response.body#/cursor"]},
                    description="As the host.",
                ),
            )
        },
    ),
    "POST /api/request/{id}/cancel": Operation(
        "cancelRequest",
        "calls",
        GUEST,
        {202: Reply("The response `cancelled` to the request.", {JSON: QueuedView})},
        (*BODY, InvalidId, *GUEST_PROBLEMS, AlreadyAnswered, *STORAGE),
        body={JSON: CancelBody},
        description="A tool that is running is asked to stop. Too late for a request with a final response: 409.",
    ),
    "POST /api/response": Operation(
        "sendResponse",
        "calls",
        HOST,
        {202: _QUEUED},
        (*BODY, InvalidId, *HOST_PROBLEMS, *STORAGE),
        description=(
            "Any number of responses with `final` false report progress. Guests get the first final one; sending it "
            "again is safe."
        ),
        body={JSON: ResponseBody},
        links={
            202: (
                Link("pollMessages", {"query.code": "$request.body#/code"}, description="As a guest."),
                Link(
                    "cancelRequest",
                    {"path.id": "$request.body#/id"},
                    {"code": "$request.body#/code"},
                    description="Too late: refused with 409 if the response was final.",
                ),
            )
        },
    ),
    "POST /api/ack": Operation(
        "acknowledge",
        "calls",
        EITHER,
        {200: Reply("The number of removed messages, and the cursors to send again.", {JSON: AcknowledgedView})},
        (*BODY, InvalidCursor, *GUEST_PROBLEMS, *STORAGE),
        body={JSON: AckBody},
        description=(
            "A request that is neither acknowledged nor answered is delivered again to each host that connects, until "
            "it expires. A final response acknowledges its request by itself."
        ),
    ),
}
