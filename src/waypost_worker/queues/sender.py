"""Writes the messages of one request into the queues of a session, and delivers them to readers in its isolate: ahead
of the write where one listens (see `message_channel.py`), otherwise after it."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from waypost_worker.errors import StorageUnavailable, Unavailable
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.limits import MAX_BODY_BYTES
from waypost_worker.polling.wake_up_key import WakeUpWriter
from waypost_worker.queues.message import Message, encode_stored, head_of
from waypost_worker.queues.message_channel import MessageChannel, Sent


class Ahead(NamedTuple):
    """How one request delivers messages ahead of their writes. `background`: starts a write that outlives the request.
    `is_covered`: whether a write of so many bytes is paid for and not refused from the outset, so that nothing is
    delivered whose write is certain to fail."""

    background: Callable[[Coroutine[Any, Any, None]], None]
    is_covered: Callable[[int], bool]


class Sender:
    """`wake_ups`: `None` if the session has no wake-up keys. `ahead`: `None` if each message is written first."""

    def __init__(
        self,
        kv: Kv,
        code: str,
        channel: MessageChannel,
        ttl_seconds: int,
        wake_ups: WakeUpWriter | None,
        ahead: Ahead | None,
    ) -> None:
        self._kv = kv
        self._requests, self._responses = requests_scope(code), responses_scope(code)
        self._channel = channel
        self._ttl_seconds = ttl_seconds
        self._wake_ups = wake_ups
        self._ahead = ahead

    async def send(self, key: str, message: Message, scope: str) -> Sent:
        """Writes `message`. If a reader listens here, it has the message ahead of the write, which this does not await
        then."""
        value, metadata = encode_stored(message)
        # A string crosses into JavaScript faster; a large one takes several times its bytes.
        text = value if len(value) > MAX_BODY_BYTES else value.decode()
        # The channel holds only what `list` returns for free; a larger body is read from KV by its reader.
        # A message in the metadata has 1 KiB of JSON at most; decoded it may take twenty times as much.
        item, size = head_of(message, len(value)) if value else message, 20 * len(metadata)
        is_ahead = (
            self._ahead is not None
            and isinstance(text, str)
            and self._channel.has_subscriber(scope)
            and self._ahead.is_covered(len(text))
            and self._channel.publish_ahead(scope, item, size, message, len(text) + size)
        )
        sent = Sent(message, is_over=not is_ahead)
        # A caller that has its response does not listen any more when that is written. A host does, unless it is gone.
        is_read = is_ahead and scope == self._responses and self._is_read_here(message, scope)

        async def write() -> None:
            await self._kv.put(key, text, ttl_seconds=self._ttl_seconds, metadata=metadata)
            if not is_ahead:
                self._channel.publish(scope, item, size)
            if self._wake_ups is not None and not (is_read or self._is_read_here(message, scope)):
                self._wake_ups.announce(scope, key)

        if self._ahead is None or not is_ahead:
            await write()
        else:
            self._ahead.background(self._write_behind(write, sent))
        return sent

    async def _write_behind(self, write: Callable[[], Coroutine[Any, Any, None]], sent: Sent) -> None:
        """The write of a message that is delivered already. Its end is noted in every case, since others wait for
        it."""
        failure: Exception | None = StorageUnavailable("The message was not written; send it again.")
        try:
            await write()
            failure = None
        except (KvError, Unavailable) as error:
            failure = error
        finally:
            self._channel.wrote(sent.message, is_stored=failure is None)
            sent.end(failure)
            if failure is not None:
                # For the wait for a response to this request, which ends.
                self._channel.wake(self._responses)

    def _is_read_here(self, message: Message, scope: str) -> bool:
        """Whether the reader of `message` certainly listens to the local channel. There may be several of responses:
        that of this one is here if its request came here."""
        is_listened_to = self._channel.has_subscriber(scope)
        return is_listened_to and (
            scope == self._requests or self._channel.request(self._requests, message.id) is not None
        )
