"""What another world's ids open: a caller has its own token and ids, but one slot has an id of the other world.

The words are those of `table`. `(cursors)`: everything that one comes back with somewhere, the other's and one's own,
but what fits here; `(left out)`: the slot is not sent.
"""

_SLOTS = """
route                                         as     slot              value             outcome
POST /api/sessions/{code}/join                ids    id                call              ok
POST /api/request                             guest  id                call              ok
POST /api/request                             guest  id                answered          ok
POST /api/request                             guest  id                request_cursor    ok
POST /api/request/{id}/cancel                 guest  id                call              ok
POST /api/request/{id}/cancel                 guest  id                answered          ok
POST /api/request/{id}/cancel                 guest  id                request_cursor    ok
POST /api/response                            host   id                call              ok
POST /api/response                            host   id                request_cursor    ok
POST /api/ack                                 host   cursors           (cursors)         cursor
POST /api/ack                                 guest  cursors           (cursors)         cursor
GET /api/stream                               host   after             (cursors)         cursor
GET /api/stream                               guest  after             (cursors)         cursor
GET /api/stream                               host   Last-Event-ID     (cursors)         cursor
GET /api/stream                               guest  Last-Event-ID     (cursors)         cursor
GET /api/stream                               host   token             host              ok
GET /api/stream                               ids    token             host              session
GET /api/stream                               ids    token             guest             session
GET /api/poll                                 host   after             (cursors)         cursor
GET /api/poll                                 guest  after             (cursors)         cursor
PUT /api/conversations/{sessionId}            ids    body:sessionId    sid               ok
PUT /api/conversations/{sessionId}            ids    before            message           ok
PUT /api/conversations/{sessionId}            ids    messages.id       message           ok
POST /api/conversations/{sessionId}/messages  ids    messages.id       message           ok
DELETE /api/conversations/{sessionId}/messages/{messageId} ids messageId message         ok
POST /api/conversations/{sessionId}/pop       ids    id                message           ok
GET /api/conversations/{sessionId}            ids    before            message           message
GET /api/sessions/{sid}/intents               ids    If-Match          etag              version
GET /api/sessions/{sid}/intents               ids    If-None-Match     etag              ok
PUT /api/sessions/{sid}/intents               ids    If-Match          etag              version
PUT /api/sessions/{sid}/intents               ids    If-None-Match     etag              ok
DELETE /api/sessions/{sid}/intents            ids    If-Match          etag              version
DELETE /api/sessions/{sid}/intents            ids    If-None-Match     etag              ok
GET /api/sessions/{sid}/theme                 ids    If-Match          etag              version
GET /api/sessions/{sid}/theme                 ids    If-None-Match     etag              ok
PUT /api/sessions/{sid}/theme                 ids    If-Match          etag              version
PUT /api/sessions/{sid}/theme                 ids    If-None-Match     etag              ok
DELETE /api/sessions/{sid}/theme              ids    If-Match          etag              version
DELETE /api/sessions/{sid}/theme              ids    If-None-Match     etag              ok
GET /api/sessions/{sid}/documents/{name}      ids    name              document          document
GET /api/sessions/{sid}/documents/{name}      ids    If-Match          etag              version
GET /api/sessions/{sid}/documents/{name}      ids    If-None-Match     etag              ok
PUT /api/sessions/{sid}/documents/{name}      ids    name              document          ok
PUT /api/sessions/{sid}/documents/{name}      ids    If-Match          etag              version
PUT /api/sessions/{sid}/documents/{name}      ids    If-None-Match     etag              ok
DELETE /api/sessions/{sid}/documents/{name}   ids    name              document          document
DELETE /api/sessions/{sid}/documents/{name}   ids    If-Match          etag              version
DELETE /api/sessions/{sid}/documents/{name}   ids    If-None-Match     etag              ok
GET /api/pages/{intentId}                     ids    sessionId         sid               ok
GET /api/pages/{intentId}                     ids    If-Match          page_etag         version
GET /api/pages/{intentId}                     ids    If-None-Match     page_etag         ok
PUT /api/pages/{intentId}                     ids    intentId          intent            session
PUT /api/pages/{intentId}                     ids    sessionId         sid               session
PUT /api/pages/{intentId}                     ids    If-Match          page_etag         version
PUT /api/pages/{intentId}                     ids    If-None-Match     page_etag         ok
DELETE /api/pages/{intentId}                  ids    intentId          intent            session
DELETE /api/pages/{intentId}                  ids    sessionId         sid               session
DELETE /api/pages/{intentId}                  ids    If-Match          page_etag         version
DELETE /api/pages/{intentId}                  ids    If-None-Match     page_etag         ok
GET /pages/{intentId}                         ids    If-Match          page_etag         version
GET /pages/{intentId}                         ids    If-None-Match     page_etag         ok
GET /api/sessions                             key    cursor            (cursors)         cursor
GET /api/sessions                             token  resourceId        resource          resource
DELETE /api/sessions                          key    threadId          thread            nothing
DELETE /api/sessions                          token  resourceId        resource          resource
POST /api/sessions/metadata                   key    threadId          thread            thread
POST /api/sessions/metadata                   token  resourceId        resource          resource
POST /api/threads                             key    threadId          thread            ok
POST /api/threads                             token  resourceId        resource          resource
PATCH /api/threads/{threadId}                 key    threadId          running           thread
PATCH /api/threads/{threadId}                 token  resourceId        resource          resource
DELETE /api/resources/{resourceId}            token  resourceId        resource          resource
GET /api/resources/{resourceId}/export        token  resourceId        resource          resource
GET /api/resources/{resourceId}/export        key    cursor            (cursors)         cursor
POST /api/voice-agent/chat                    key    session.token     host              role
POST /api/voice-agent/chat                    token  session.token     host              role
POST /api/chat                                key    threadId          running           ok
POST /api/chat                                key    id                running           ok
POST /api/chat                                token  id                running           ok
POST /api/chat                                key    messageId         thread_message    ok
POST /api/chat                                token  resourceId        resource          resource
POST /api/chat                                token  resourceId        (left out)        ok
POST /api/chat                                key    session.token     host              role
POST /api/chat                                token  session.token     host              role
POST /api/chat/fork                           key    session.token     host              role
POST /api/chat/fork                           key    forkFromThreadId  thread            thread
POST /api/chat/fork                           key    threadId          thread            ok
POST /api/chat/fork                           key    atMessageId       thread_message    message
POST /api/chat/fork                           token  resourceId        resource          resource
POST /api/chat                                key    Last-Event-ID     event             ok
GET /api/chat/{threadId}                      key    threadId          running           ok
GET /api/chat/{threadId}                      token  resourceId        resource          resource
GET /api/chat/{threadId}                      token  resourceId        (left out)        ok
GET /api/chat/{threadId}/stream               key    threadId          running           nothing
GET /api/chat/{threadId}/stream               key    Last-Event-ID     event             nothing
GET /api/chat/{threadId}/stream               token  resourceId        resource          resource
GET /api/chat/{threadId}/stream               token  resourceId        (left out)        ok
POST /api/chat/{threadId}/stop                key    threadId          running           nothing
POST /api/chat/{threadId}/stop                key    generationId      generation        nothing
POST /api/chat/{threadId}/stop                token  resourceId        resource          resource
POST /api/chat/{threadId}/stop                token  resourceId        (left out)        ok
POST /api/tokens                              token  resourceId        resource          role
POST /mcp/{code}                              ids    id                call              ok
POST /mcp                                     guest  id                call              ok
POST /mcp/{code}                              ids    Mcp-Session-Id    mcp_session       lost
POST /mcp/{code}                              ids    params.uri        page_uri          nothing
GET /mcp/{code}                               ids    Mcp-Session-Id    mcp_session       lost
GET /mcp/{code}                               ids    Last-Event-ID     mcp_event         event
POST /mcp                                     guest  Mcp-Session-Id    mcp_session       lost
POST /mcp                                     guest  params.uri        page_uri          nothing
GET /mcp                                      guest  Mcp-Session-Id    mcp_session       lost
GET /mcp                                      guest  Last-Event-ID     mcp_event         event
"""

BY_THEMSELVES = {"code", "sid", "sessionId", "intentId", "address", "secret", "addressSecret"}
"""Ids that are enough to open what they name, or that need only a token beside them: `_ROWS` has both pairs."""

NO_ID = {
    "agent", "archived", "args", "claim", "cursors", "data", "error", "filters", "final", "forkedFrom", "format",
    "html", "instance", "interrupt", "jsonrpc", "label", "limit", "mapToolNames", "message", "messages", "metadata",
    "producer", "question", "readAs", "result", "seq", "settled", "skip", "title", "tool", "tools", "trigger",
    "truncated", "ttl", "wait",
}  # fmt: skip
"""Parameters and fields that name nothing that belongs to a world, or (a producer, an instance of a host) nothing that
is stored by itself."""


CURSORS, LEFT_OUT = "(cursors)", "(left-out)"


def slot_rows() -> list[tuple[str, str, str, str, str]]:
    """Rows of: route, caller with its own token and ids, slot, the other world's value in it, outcome."""
    rows = [line.replace("(left out)", LEFT_OUT).split() for line in _SLOTS.strip().splitlines()[1:]]
    return [(f"{row[0]} {row[1]}", row[2], row[3], row[4], row[5]) for row in rows]
