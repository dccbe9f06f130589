"""The two queues of a session: requests to its host, responses to its guests. One message is one key, written once.

`req:{code}:{cursor}` and `res:{code}:{requestId}:{cursor}`. A queue is never one value that is read, changed and
written back: two writers would overwrite each other's messages. A message stays until it is acknowledged or expires.

An id that the service issues is the cursor itself: so the id gives the key, and a removal needs no `list`. Sent again
where its request is not visible, it may stand under other cursors too, as an id that a client sends may: each write has
its own, so that none replaces a request that is stored. The host is sent the first one. `list` finds all of them, and
those of an id that a client chose, or that is cancelled, are removed together.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec

from waypost_worker.errors import AlreadyAnswered, IdInUse, InvalidId
from waypost_worker.http.loads import Loads
from waypost_worker.kv.bulk import batches
from waypost_worker.kv.cursor import CursorFactory, cursor_ms, is_cursor
from waypost_worker.kv.keys import request_key, requests_scope, response_key, response_prefix, responses_scope
from waypost_worker.kv.store import Kv, ListPage, list_all
from waypost_worker.limits import MAX_BODY_BYTES, MAX_CLOCK_SKEW_SECONDS, MAX_LOADED_BYTES, REORDER_WINDOW_SECONDS
from waypost_worker.polling.wake_up_key import WakeUpWriter
from waypost_worker.queues.message import ErrorBody, Message, decode_listed, decode_value
from waypost_worker.queues.message_channel import MessageChannel, Sent
from waypost_worker.queues.sender import Ahead, Sender

CANCELLED_ERROR = ErrorBody("cancelled", "The request was cancelled before it was answered.")


class Queues:
    """The queues of one session, for one request."""

    def __init__(
        self,
        kv: Kv,
        code: str,
        cursors: CursorFactory,
        channel: MessageChannel,
        ttl_seconds: int,
        loads: Loads,
        wake_ups: WakeUpWriter | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """`wake_ups`: `None` if the session has no wake-up keys. `ahead`: `None` if each message is written first."""
        self._kv = kv
        self._sender = Sender(kv, code, channel, ttl_seconds, wake_ups, ahead)
        self.has_wake_up_keys = wake_ups is not None
        """Whether readers may read the wake-up keys of the queues."""
        self.loads = loads
        self._code = code
        self._cursors = cursors
        self._channel = channel
        self._ttl_seconds = ttl_seconds
        self.requests = requests_scope(code)
        self.responses = responses_scope(code)

    async def push_request(self, message: Message, request_id: str | None, *, is_issued: bool = False) -> Message:
        """As `send_request`. The message that this returns is in KV."""
        return await (await self.send_request(message, request_id, is_issued=is_issued)).stored()

    async def send_request(self, message: Message, request_id: str | None, *, is_issued: bool = False) -> Sent:
        """Queues `message` for the host, with the id `request_id` or a new one. If its reader listens in this isolate,
        it has the message already, and this returns before it is written.

        `is_issued`: the id was just issued here, and is the cursor too.

        Raises:
            InvalidId: `request_id` has the form of an issued id, and its time is not within the last hour.
        """
        cursor = self._cursors.issue(self.requests)
        if request_id is not None and is_cursor(request_id, self.requests):
            ahead_seconds = (cursor_ms(request_id) - cursor_ms(cursor)) / 1000
            if not -self._ttl_seconds < ahead_seconds < MAX_CLOCK_SKEW_SECONDS:
                raise InvalidId("An id in the form of our own ids must be one that was issued within the last hour.")
            if is_issued:
                cursor = request_id
        message = msgspec.structs.replace(message, id=request_id or cursor, cursor=cursor, age=self._age(cursor))
        return await self._sender.send(request_key(self._code, cursor), message, self.requests)

    async def find_repeated(self, message: Message, request_id: str, responses: Sequence[Message]) -> Message | None:
        """Checks that `message` may be queued as `request_id`; `responses` are those to that id. Returns the request
        that is stored if its id was issued here: it is not written again. `None`: `message` is to be written.

        Costs one `list` if the id was certainly sent before: it was issued here, or has progress. What was queued in
        another isolate is not seen otherwise; it stands too, and the host is sent the first of the two.

        Raises:
            IdInUse: the request that is stored, or was answered, is another call.
        """
        is_issued = is_cursor(request_id, self.requests)
        known = [response for response in responses if response.final][:1]
        queued: list[Message] = []
        if not known and is_issued:
            queued = [decode_listed(key) for key in (await self._kv.list(request_key(self._code, request_id))).keys]
        elif not known and responses:
            queued = [item async for page in self.pages(self.requests) for item in page if item.id == request_id]
        here = self._channel.request(self.requests, request_id)
        known += [item for item in queued[:1] if item.kind != "cancel"] + ([] if here is None else [here])
        if any(item.call_digest not in (None, message.call_digest) for item in known):
            raise IdInUse("The id belongs to a request with another tool or other arguments; send a new id.")
        return queued[0] if is_issued and queued else None

    async def push_response(self, message: Message) -> Message:
        """Queues `message` for the guests; those that listen here have it before it is written. The message that this
        returns is in KV. The request stays queued."""
        cursor = self._cursors.issue(self.responses)
        request = self._channel.request(self.requests, message.id)
        digest = None if request is None else request.call_digest
        known = msgspec.UNSET if digest is None else digest
        message = msgspec.structs.replace(message, cursor=cursor, digest=known, age=self._age(cursor))
        sent = await self._sender.send(response_key(self._code, message.id, cursor), message, self.responses)
        return await sent.stored()

    def final_response_here(self, request_id: str) -> Message | None:
        """The final response to a request, or its head, if this isolate has queued it recently."""
        recent = self._channel.since(self.responses, 0)
        return next((item for item in recent if item.id == request_id and item.final), None)

    async def cancel(self, request_id: str) -> Message:
        """Cancels a request: removes it, sends the host `cancel`, and answers it with the error `cancelled`.

        Returns its final response, the existing one if it was cancelled before.

        Raises:
            AlreadyAnswered: it has another final response.
        """
        # What is being written is not listed, and would stand again after its removal.
        await self._channel.written(lambda message: message.id == request_id)
        response = await self.find_final_response(request_id)
        if response is None:
            await self.remove_request(request_id, lists=True)
            cursor = self._cursors.issue(self.requests)
            notice = Message("cancel", request_id, cursor=cursor, age=self._age(cursor))
            await (await self._sender.send(request_key(self._code, cursor), notice, self.requests)).stored()
            response = await self.push_response(Message("response", request_id, error=CANCELLED_ERROR, final=True))
        elif response.error != CANCELLED_ERROR:
            raise AlreadyAnswered("The request has its final response; there is nothing left to cancel.")
        return response

    async def written_by(self, asker: str) -> None:
        """Waits until the requests of `asker` that are being written here are in the store, or have failed."""
        await self._channel.written(lambda message: message.asker == asker)

    async def find_final_response(self, request_id: str) -> Message | None:
        """The final response to a request, the first of several; `None` if there is none."""
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

    async def responses_to(self, request_id: str) -> list[Message]:
        """All responses to a request, progress too, in order of time; those that did not fit into the metadata as
        heads."""
        prefix = response_prefix(self._code, request_id)
        return [decode_listed(key) async for keys in list_all(self._kv, prefix) for key in keys]

    async def load_one(self, message: Message) -> Message | None:
        """`message` with its body, or `None` if the body is gone, or not visible in this location yet.

        Raises:
            Busy: too many large bodies are being sent.
        """
        return next(iter([whole async for loaded in self.load([message]) for whole in loaded]), None)

    async def first_page(self, scope: str) -> ListPage:
        """The first page of the keys of a queue (`requests` or `responses`)."""
        return await self._kv.list(f"{scope}:")

    async def pages(self, scope: str, first: ListPage | None = None) -> AsyncGenerator[list[Message], None]:
        """All messages of a queue (`requests` or `responses`), page by page, in the order of their keys; those that did
        not fit into the metadata as heads. `first`: the `first_page`, if it was just listed."""
        async for keys in list_all(self._kv, f"{scope}:", first):
            yield [decode_listed(key) for key in keys]

    async def load(self, messages: Sequence[Message]) -> AsyncGenerator[list[Message], None]:
        """`messages` with their bodies, in their order, in batches of bounded size; a message whose value is gone, or
        not visible in this location yet, is left out. `loads` counts the large ones; the caller releases them.

        Raises:
            Busy: too many large bodies are being sent.
        """
        for batch in batches(messages, _size_to_load):
            # A large one comes by itself; small ones are not counted.
            await self.loads.take(max(message.size for message in batch))
            # What is being written has its body here, and not in KV yet.
            whole = [self._channel.unwritten(message.cursor) or message for message in batch]
            values = await self._values([message for message in whole if message.is_head])
            loaded = [
                decode_value(message, values[message.cursor]) if message.is_head else message
                for message in whole
                if not message.is_head or message.cursor in values
            ]
            # What is suspended keeps no reference: a large body is freed as soon as it is encoded.
            values.clear()
            whole.clear()
            yield loaded

    async def _values(self, heads: Sequence[Message]) -> dict[str, str | bytes]:
        """The values of `heads` by cursor, as far as they are there."""
        keys = {message.cursor: self._key(message) for message in heads if message.size <= MAX_BODY_BYTES}
        found = await self._kv.get_many(list(keys.values())) if keys else {}
        values: dict[str, str | bytes] = {cursor: found[key] for cursor, key in keys.items() if found.get(key)}
        for message in heads:
            if message.cursor not in keys and (value := await self._kv.get_bytes(self._key(message))):
                values[message.cursor] = value
        return values

    async def acknowledge(self, scope: str, cursors: Iterable[str], now_ms: int) -> int:
        """Removes those messages of a queue (`requests` or `responses`) that are there. Returns their number.

        A made-up cursor costs no delete. Messages queued in this isolate so recently that a listing may not show them
        yet are known from the local channel; for the others the queue is listed once. What is being written is removed
        after that.
        """
        cursors = dict.fromkeys(cursors)
        await self._channel.written(lambda message: message.cursor in cursors)
        fresh_ms = now_ms - REORDER_WINDOW_SECONDS * 1000
        fresh = {each.cursor: each for each in self._channel.since(scope, 0) if cursor_ms(each.cursor) > fresh_ms}
        found = {cursor: self._key(fresh[cursor]) for cursor in cursors if cursor in fresh}
        if len(found) < len(cursors):
            async for page in self.pages(scope):
                found |= {each.cursor: self._key(each) for each in page if each.cursor in cursors}
        await self._delete(found.values())
        return len(found)

    async def remove_listed(self, cursors: Iterable[str]) -> None:
        """Removes requests that a listing has just shown."""
        await self._delete(request_key(self._code, cursor) for cursor in cursors)

    async def remove_answered(self, request_id: str) -> None:
        """Removes a request whose final response is stored, once it is written itself and KV takes another write to its
        key. Until then, and if this fails, readers pass over it because of its response (`Feed`)."""
        await self._channel.written(lambda message: message.id == request_id and message.kind != "response")
        await self._channel.rest(self._copies_here(request_id))
        await self.remove_request(request_id)

    async def remove_request(self, request_id: str, *, lists: bool = False) -> None:
        """Removes a request under every cursor that it was queued with, and its `cancel`.

        An issued id gives the key. If it was sent again, its request may stand under other cursors too: those that were
        queued in this isolate recently are removed without a `list`; `lists`: the others too.
        """
        removed = [self._key(message) for message in self._copies_here(request_id)]
        is_issued = is_cursor(request_id, self.requests)
        if is_issued:
            removed = list(dict.fromkeys([request_key(self._code, request_id), *removed]))
        # First, so that a budget that ends with the `list` does not leave it.
        await self._delete(removed)
        if is_issued and not lists:
            return
        listed = [
            self._key(message)
            async for page in self.pages(self.requests)
            for message in page
            if message.id == request_id
        ]
        await self._delete(key for key in listed if key not in removed)

    def _copies_here(self, request_id: str) -> list[Message]:
        """What this isolate has recently queued for the host under this id."""
        return [message for message in self._channel.since(self.requests, 0) if message.id == request_id]

    async def answered(self) -> set[str]:
        """The ids of the requests whose final response is visible here."""
        return {message.id async for page in self.pages(self.responses) for message in page if message.final}

    async def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._kv.delete(key)

    def _age(self, cursor: str) -> int:
        return max(cursor_ms(cursor) - self._cursors.born_ms, 0) // 1000

    def _key(self, message: Message) -> str:
        if message.kind == "response":
            return response_key(self._code, message.id, message.cursor)
        return request_key(self._code, message.cursor)


def _size_to_load(message: Message) -> int | None:
    if message.size > MAX_BODY_BYTES:
        # By itself: it is read by itself, and needs less room than several.
        return MAX_LOADED_BYTES
    return message.size if message.is_head else None
