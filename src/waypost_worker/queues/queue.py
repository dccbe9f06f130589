"""The two queues of a session: requests to its host, answers to its guests. One message is one key, written once.

`req:{code}:{cursor}` and `res:{code}:{requestId}:{cursor}`. A queue is never one value that is read, changed and
written back: two writers would lose each other's messages. A message stays until it is acknowledged or expires.

An id that the service makes is the cursor itself: then the key is known from the id, a repeated put falls on the same
key, and removing it needs no look. An id that a client chose may stand under several cursors (each retry writes its
own); all of them are found with `list` and removed together.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec

from waypost_worker.errors import AlreadyAnswered, InvalidId
from waypost_worker.kv.bulk import batches
from waypost_worker.kv.cursor import CursorFactory, cursor_ms, is_cursor
from waypost_worker.kv.keys import request_key, requests_scope, response_key, response_prefix, responses_scope
from waypost_worker.kv.store import Kv, list_all
from waypost_worker.limits import MAX_CLOCK_SKEW_SECONDS, REORDER_WINDOW_SECONDS
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.queues.message import ErrorBody, Message, decode_listed, decode_value, encode_stored, head_of

CANCELLED_ERROR = ErrorBody("cancelled", "The request was cancelled before it was answered.")


class Queues:
    """The queues of one session, as one request sees them."""

    def __init__(
        self, kv: Kv, code: str, cursors: CursorFactory, channel: LocalChannel[Message], ttl_seconds: int
    ) -> None:
        self._kv = kv
        self._code = code
        self._cursors = cursors
        self._channel = channel
        self._ttl_seconds = ttl_seconds
        self.requests = requests_scope(code)
        self.responses = responses_scope(code)

    async def push_request(self, message: Message, request_id: str | None) -> Message:
        """Queue `message` for the host; its id is `request_id`, or a new one. What this returns is in KV.

        Raises:
            InvalidId: `request_id` looks like an id of ours, and can't be one that is still in use.
        """
        cursor = self._cursors.issue(self.requests)
        if request_id is not None and is_cursor(request_id, self.requests):
            # A cursor of tomorrow would move every reader's position there, and all that comes until then behind it.
            ahead_seconds = (cursor_ms(request_id) - cursor_ms(cursor)) / 1000
            if not -self._ttl_seconds < ahead_seconds < MAX_CLOCK_SKEW_SECONDS:
                raise InvalidId("An id in the form of our own ids must be one that was issued within the last hour.")
            cursor = request_id
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor)
        await self._put(request_key(self._code, cursor), message, self.requests)
        return message

    async def push_response(self, message: Message) -> Message:
        """Queue `message` for the guests. What this returns is in KV. Acknowledging the request is up to the caller."""
        cursor = self._cursors.issue(self.responses)
        message = msgspec.structs.replace(message, cursor=cursor)
        await self._put(response_key(self._code, message.id, cursor), message, self.responses)
        return message

    async def cancel(self, request_id: str) -> Message:
        """Take a request back: tell the host, and answer it with the error `cancelled`.

        Raises:
            AlreadyAnswered: it has another final answer.
        """
        answer = await self.find_answer(request_id)
        if answer is None:
            await self.remove_request(request_id)
            cursor = self._cursors.issue(self.requests)
            notice = Message("cancel", request_id, cursor=cursor)
            await self._put(request_key(self._code, cursor), notice, self.requests)
            answer = await self.push_response(Message("response", request_id, error=CANCELLED_ERROR, final=True))
        elif answer.error != CANCELLED_ERROR:
            raise AlreadyAnswered("The request has its final answer; there is nothing left to cancel.")
        return answer

    async def find_answer(self, request_id: str) -> Message | None:
        """The final answer to a request: the first one, if there are several."""
        cursor = None
        while True:
            page = await self._kv.list(response_prefix(self._code, request_id), cursor=cursor)
            for key in page.keys:
                message = decode_listed(key)
                if message.final:
                    return await self.load_one(message)
            cursor = page.cursor
            if cursor is None:
                return None

    async def answers(self, request_id: str) -> list[Message]:
        """All that was said about a request, progress too, in order of time; bodies that did not fit into the metadata
        are not read yet."""
        prefix = response_prefix(self._code, request_id)
        return [decode_listed(key) async for keys in list_all(self._kv, prefix) for key in keys]

    async def load_one(self, message: Message) -> Message | None:
        """`message` with its body, or `None` if that is gone or not visible here yet."""
        if not message.is_head:
            return message
        key = self._key(message)
        value = (await self._kv.get_many([key])).get(key)
        return decode_value(message, value) if value else None

    async def pages(self, scope: str) -> AsyncGenerator[list[Message], None]:
        """Every message of a queue (`requests` or `responses`), page by page, in the order of its keys; bodies that
        did not fit into the metadata are not read yet."""
        async for keys in list_all(self._kv, f"{scope}:"):
            yield [decode_listed(key) for key in keys]

    async def load(self, messages: Sequence[Message]) -> AsyncGenerator[list[Message], None]:
        """`messages` with their bodies, in their order, a bounded number of bytes at a time; one whose value is gone,
        or not visible here yet, is left out."""
        for batch in batches(messages, lambda message: message.size if message.is_head else None):
            keys = {message.cursor: self._key(message) for message in batch if message.is_head}
            values = await self._kv.get_many(list(keys.values())) if keys else {}
            yield [
                decode_value(message, values[keys[message.cursor]]) if message.is_head else message
                for message in batch
                if not message.is_head or keys[message.cursor] in values
            ]

    async def acknowledge(self, scope: str, cursors: Iterable[str], now_ms: int) -> int:
        """Remove those messages of a queue (`requests` or `responses`) that are there; how many cursors that were.

        A cursor that was made up costs no delete. What was queued in this isolate so recently that a listing may not
        show it yet is known without one; for the others the queue is listed once.
        """
        fresh_ms = now_ms - REORDER_WINDOW_SECONDS * 1000
        fresh = {each.cursor: each for each in self._channel.since(scope, 0) if cursor_ms(each.cursor) > fresh_ms}
        wanted = dict.fromkeys(cursors)
        found = {cursor: self._key(fresh[cursor]) for cursor in wanted if cursor in fresh}
        if len(found) < len(wanted):
            async for page in self.pages(scope):
                found |= {each.cursor: self._key(each) for each in page if each.cursor in wanted}
        await self._delete(found.values())
        return len(found)

    async def remove_listed(self, cursors: Iterable[str]) -> None:
        """Remove requests that a listing has just shown."""
        await self._delete(request_key(self._code, cursor) for cursor in cursors)

    async def remove_request(self, request_id: str) -> None:
        """Remove a request under every cursor that it was queued with, and what was said about it (its cancelling)."""
        if is_cursor(request_id, self.requests):
            await self._delete([request_key(self._code, request_id)])
            return
        pages = self.pages(self.requests)
        await self._delete([self._key(message) async for page in pages for message in page if message.id == request_id])

    async def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._kv.delete(key)

    async def _put(self, key: str, message: Message, scope: str) -> None:
        value, metadata = encode_stored(message)
        await self._kv.put(key, value, ttl_seconds=self._ttl_seconds, metadata=metadata)
        # Only what a list would bring for free is kept in memory; a larger body is read from KV when it is wanted.
        self._channel.publish(scope, head_of(message, len(value)) if value else message)

    def _key(self, message: Message) -> str:
        if message.kind == "response":
            return response_key(self._code, message.id, message.cursor)
        return request_key(self._code, message.cursor)
