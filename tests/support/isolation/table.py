"""Who may call what, a route a row. `slots` has what another world's ids open.

Words of both tables:
    ok        done (2xx), with nothing of the other one in the reply, and nothing of it changed
    nothing   the same, and nothing of its own was changed or shown either
    absent    404 session_not_found       need    401 token_required     cursor     400 invalid_cursor
    document  404 document_not_found      bad     401 invalid_token      version    412 precondition_failed
    page      404 page_not_found          role    403 wrong_role         session    403 wrong_session
    thread    404 thread_not_found        route   404 not_found          resource   403 wrong_resource
    message   404 message_not_found       closed  403 code_closed        secret    403 wrong_secret
    off       403 address_not_allowed
    lost      404, none of MCP's sessions of this tab                    event      400, none of that session's events
    method    405, for everybody
    -         the token alone says which session is meant, and that is the other one's
"""

from __future__ import annotations

OUTCOMES: dict[str, tuple[int, str | None]] = {
    "absent": (404, "session_not_found"),
    "document": (404, "document_not_found"),
    "page": (404, "page_not_found"),
    "thread": (404, "thread_not_found"),
    "message": (404, "message_not_found"),
    "route": (404, "not_found"),
    "need": (401, "token_required"),
    "bad": (401, "invalid_token"),
    "role": (403, "wrong_role"),
    "session": (403, "wrong_session"),
    "resource": (403, "wrong_resource"),
    "closed": (403, "code_closed"),
    "secret": (403, "wrong_secret"),
    "off": (403, "address_not_allowed"),
    "lost": (404, None),
    "event": (400, None),
    "method": (405, None),
    "cursor": (400, "invalid_cursor"),
    "version": (412, "precondition_failed"),
}

COLUMNS = ("nobody", "ids", "host", "host'", "guest", "guest'", "key", "token", "token'")
"""The callers, each with only its own ids: without a token and with unused ids; without a token; with a token of this
world; with a token (marked ') of the other world. A key belongs to every world."""

_ROWS = """
route                                         nobody   ids    host   host'    guest  guest'   key   token  token'
POST /api/sessions                            ok       ok     ok     ok       ok     ok       ok    ok    ok
GET /api/sessions/{code}                      absent   ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/sessions/{code}                   need     need   ok     session  role   session  bad   role  role
POST /api/sessions/{code}/extend              need     need   ok     session  role   session  bad   role  role
POST /api/sessions/{code}/leave               need     need   ok     session  role   session  bad   role  role
POST /api/sessions/{code}/join                absent   ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/sessions/{code}/tools                need     need   ok     session  role   session  bad   role  role
PUT /api/sessions/{code}/address              need     need   ok     session  role   session  bad   role  role
DELETE /api/addresses/{address}               need     need   secret secret   secret secret   secret secret secret
POST /api/request                             absent   ok     role   session  ok     session  bad   role  role
POST /api/request/{id}/cancel                 absent   ok     role   session  ok     session  bad   role  role
POST /api/response                            need     need   ok     session  role   session  bad   role  role
POST /api/ack                                 absent   ok     ok     session  ok     session  bad   role  role
GET /api/stream                               absent   ok     ok     session  ok     session  bad   role  role
GET /api/poll                                 absent   ok     ok     session  ok     session  bad   role  role
GET /api/conversations/{sessionId}            ok       ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/conversations/{sessionId}            ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/conversations/{sessionId}         ok       ok     ok     ok       ok     ok       ok    ok    ok
POST /api/conversations/{sessionId}/messages  ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/conversations/{sessionId}/messages/{messageId} ok ok ok ok  ok     ok       ok    ok    ok
POST /api/conversations/{sessionId}/pop       ok       ok     ok     ok       ok     ok       ok    ok    ok
POST /api/voice-agent/chat                    need     need   role   role     role   role     ok    ok    ok
GET /api/sessions/{sid}/intents               document ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/sessions/{sid}/intents               ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/sessions/{sid}/intents            document ok     ok     ok       ok     ok       ok    ok    ok
GET /api/sessions/{sid}/theme                 document ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/sessions/{sid}/theme                 ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/sessions/{sid}/theme              document ok     ok     ok       ok     ok       ok    ok    ok
GET /api/sessions/{sid}/documents             ok       ok     ok     ok       ok     ok       ok    ok    ok
GET /api/sessions/{sid}/documents/{name}      document ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/sessions/{sid}/documents/{name}      ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/sessions/{sid}/documents/{name}   document ok     ok     ok       ok     ok       ok    ok    ok
GET /api/sessions/{sid}/pages                 ok       ok     ok     ok       ok     ok       ok    ok    ok
GET /api/pages/{intentId}                     page     ok     ok     ok       ok     ok       ok    ok    ok
PUT /api/pages/{intentId}                     ok       ok     ok     ok       ok     ok       ok    ok    ok
DELETE /api/pages/{intentId}                  page     ok     ok     ok       ok     ok       ok    ok    ok
GET /pages/{intentId}                         page     ok     ok     ok       ok     ok       ok    ok    ok
POST /api/tokens                              need     need   role   role     role   role     ok    role  role
GET /api/sessions                             need     need   role   role     role   role     ok    ok    resource
DELETE /api/sessions                          need     need   role   role     role   role     ok    ok    resource
POST /api/sessions/metadata                   need     need   role   role     role   role     ok    ok    resource
POST /api/threads                             need     need   role   role     role   role     ok    ok    resource
PATCH /api/threads/{threadId}                 need     need   role   role     role   role     ok    ok    resource
DELETE /api/resources/{resourceId}            need     need   role   role     role   role     ok    ok    resource
GET /api/resources/{resourceId}/export        need     need   role   role     role   role     ok    ok    resource
POST /api/chat                                need     need   role   role     role   role     ok    ok    resource
POST /api/chat/fork                           need     need   role   role     role   role     ok    ok    resource
GET /api/chat/{threadId}                      need     need   role   role     role   role     ok    ok    resource
GET /api/chat/{threadId}/stream               need     need   role   role     role   role     ok    ok    resource
POST /api/chat/{threadId}/stop                need     need   role   role     role   role     ok    ok    resource
POST /mcp/{code}                              absent   ok     role   session  ok     session  bad   role  role
GET /mcp/{code}                               absent   ok     role   session  ok     session  bad   role  role
DELETE /mcp/{code}                            method   method method method   method method   method method method
POST /mcp                                     need     need   role   -        ok     -        bad   role  -
GET /mcp                                      need     need   role   -        ok     -        bad   role  -
DELETE /mcp                                   method   method method method   method method   method method method
GET /health                                   ok       ok     ok     ok       ok     ok       ok    ok    ok
GET /metrics                                  need     need   role   role     role   role     ok    role  role
GET /debug/objects                            route    route  route  route    route  route    route route route
"""

_ONCE = """
route                                         nobody   ids    host   host'    guest  guest'   key   token  token'
GET /api/sessions/{code}                      need     need   ok     session  ok     session  bad   role  role
PUT /api/sessions/{code}/address              off      off    off    off      off    off      off   off   off
POST /api/sessions/{code}/join                absent   closed closed closed   closed closed   closed closed closed
POST /api/request                             need     need   role   session  ok     session  bad   role  role
POST /api/request/{id}/cancel                 need     need   role   session  ok     session  bad   role  role
POST /api/ack                                 need     need   ok     session  ok     session  bad   role  role
GET /api/stream                               need     need   ok     session  ok     session  bad   role  role
GET /api/poll                                 need     need   ok     session  ok     session  bad   role  role
POST /mcp/{code}                              need     need   role   session  ok     session  bad   role  role
GET /mcp/{code}                               need     need   role   session  ok     session  bad   role  role
"""
"""The rows that differ where a code lets only the first guest join; a guest has joined here."""


def access_rows(*, once: bool = False) -> dict[str, dict[str, str]]:
    """Route -> caller -> outcome; with `once`, where a code lets one guest join and another one has joined."""
    rows = [line.split() for line in (_ONCE if once else _ROWS).strip().splitlines()[1:]]
    return {f"{row[0]} {row[1]}": dict(zip(COLUMNS, row[2:], strict=True)) for row in rows}
