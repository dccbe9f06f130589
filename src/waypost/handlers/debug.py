"""`/debug/objects`: counts of what is alive, so that a test of a local run can show that nothing leaks."""

import gc
from collections import Counter

from waypost.errors import RouteNotFound
from waypost.handlers.call import Call
from waypost.http import Response, json_response


async def objects(call: Call) -> Response:
    """Live Python objects by kind, open streams, channels that are listened on, and proxies handed to JavaScript; only
    where `DIAGNOSTICS` is on."""
    if not call.settings.diagnostics:
        raise RouteNotFound("Nothing is served at this path.")
    gc.collect()
    live = gc.get_objects()
    kinds = Counter(type(item).__name__ for item in live)
    return json_response({
        "openStreams": call.isolate.open_streams,
        "listeners": call.isolate.messages.listeners + call.isolate.changes.listeners,
        "openProxies": call.isolate.open_proxies,
        "asyncGenerators": kinds["async_generator"],
        "coroutines": kinds["coroutine"],
        "jsProxies": sum(count for kind, count in kinds.items() if kind.startswith("JsProxy")),
        # The runtime's own objects come and go with V8's garbage collector; ours must come back exactly.
        "own": sum(str(type(item).__module__).startswith("waypost.") for item in live),
        "objects": kinds.total(),
    })  # fmt: skip
