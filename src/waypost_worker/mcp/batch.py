"""JSON-RPC batches, which 2025-03-26 alone has: several messages in one body, and their replies in one JSON array.

https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server. Servers of it
must accept batches, though its SDKs send none. The messages are answered concurrently, each as if it had been sent by a
client that accepts JSON only, and each is paid for.
"""

import asyncio
from typing import Any

from waypost_worker.errors import WaypostError
from waypost_worker.http.messages import Response
from waypost_worker.limits import MAX_BATCH_MESSAGES
from waypost_worker.mcp import legacy
from waypost_worker.mcp.jsonrpc import RpcError, decode_message, encode_error, id_of, invalid_request
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.transport import Accepts, as_rpc_error, json_reply, not_acceptable
from waypost_worker.mcp.versions import WITH_BATCHES
from waypost_worker.security.rate_limits import Limit

_JSON_ONLY = Accepts(json=True, sse=False, names_sse=False)


async def answer_batch(tab: Tab, batch: list[Any], accepted: Accepts) -> Response:
    """The replies to the requests in `batch`, in their order; status 202 if there are none.

    Raises:
        RpcError: the client's revision has no batches, or this one is empty or too long.
    """
    if legacy.agreed_version(tab) != WITH_BATCHES:
        raise invalid_request("This revision has no batches: send one message in each request.")
    if not 0 < len(batch) <= MAX_BATCH_MESSAGES:
        raise invalid_request(f"A batch must have 1 to {MAX_BATCH_MESSAGES} messages.")
    if not accepted.json:
        raise not_acceptable("The replies to a batch are JSON: accept application/json.")
    replies = await asyncio.gather(*(_answer(tab, value) for value in batch))
    found = [reply for reply in replies if reply is not None]
    return json_reply(b"[%s]" % b",".join(found)) if found else Response(202)


async def _answer(tab: Tab, value: Any) -> bytes | None:
    try:
        message = decode_message(value)
        if message.method == "initialize":
            raise invalid_request("initialize must not be part of a batch.")
        if message.id is not None:
            await tab.context.limits.spend(Limit.REQUEST, f"guest:{tab.session.code}")
        body = (await legacy.answer(tab, message, _JSON_ONLY)).body
    except (RpcError, WaypostError) as error:
        return encode_error(id_of(value), as_rpc_error(error))
    return body if isinstance(body, bytes) else None
