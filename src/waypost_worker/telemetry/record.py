"""What is recorded of one request, for its line in the log, its data point and the metrics.

Nothing in it comes from outside as it is: a route's template and not the path, a known method, a code of this service,
and ids that have passed a grammar. So no caller can put a secret, a line break or a long text into it.
"""

import msgspec

UNMATCHED = "unmatched"
"""The route of a request that no template fits, or that was refused before one was looked for."""

PREFLIGHT = "preflight"
"""The route of a CORS preflight."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"

ANONYMOUS = "anonymous"
HOST = "host"
GUEST = "guest"
MCP = "mcp"
APP = "app"
RESOURCE = "resource"
OWNER = "owner"
CALLERS = (ANONYMOUS, HOST, GUEST, MCP, APP, RESOURCE, OWNER)
"""`app`: with an app key; `resource`: with an app's token; `owner`: with a session id that owns what it names."""

ENDED = "ended"
LEFT = "left"
BROKE = "broke"
ENDINGS = (ENDED, LEFT, BROKE)
"""How a stream ends: by itself, because its client leaves, or because of a fault."""


class RequestRecord(msgspec.Struct):
    """The record of one request; it fills up until the request, its stream and its work in the background have ended.

    `ms`: from the request's arrival to its response, or to the end of its stream. The platform's clock stands still
    while code runs, so this is the time spent waiting. `kv_ms`: for KV. `reads`: keys that were read. The bytes are
    those of values and metadata.

    `has_ray`: whether Cloudflare's network has named the request.

    `delivered`: messages of the queue that the reply carries, without replays. `slowest_ms`: the longest time from a
    message's acceptance to its delivery here.
    """

    method: str
    request_id: str
    started_ms: int
    has_ray: bool
    route: str = UNMATCHED
    status: int = 0
    code: str = ""
    caller: str = ANONYMOUS
    trace_id: str = ""
    ms: int = 0
    ended: str = ""
    kv_ms: int = 0
    reads: int = 0
    writes: int = 0
    deletes: int = 0
    lists: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    delivered: int = 0
    slowest_ms: int = 0

    def deliver(self, delay_ms: int) -> None:
        """A message is delivered `delay_ms` after it was accepted."""
        self.delivered += 1
        self.slowest_ms = max(self.slowest_ms, delay_ms)
