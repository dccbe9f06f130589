"""One call of a tool: a request in a session's queue, and the host's responses to it.

Its only state is the queue, so any isolate resumes it from its id alone. It ends with the host's final response; or
with an error of its caller's, when the host is away or the time is over. Then the request is cancelled, so that the
tool does not run when no caller waits for its result.
"""

from collections.abc import Awaitable, Callable

from waypost_worker.errors import AlreadyAnswered, Unavailable
from waypost_worker.limits import ABSENCE_CHECK_SECONDS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel, Sent
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.response_waiter import ResponseWaiter


class Call:
    """The call `request_id`, which was or will be made at `asked_ms`. `resumed`: an earlier invocation made it.

    `absence` returns the error for a host that is away, and `None` if it is there; it is asked once the host has had
    `grace_seconds`, and now and then after that. `too_late`: the error for a call that is not answered in its time.
    """

    def __init__(
        self,
        queues: Queues,
        channel: MessageChannel,
        invocation: Invocation,
        request_id: str,
        asked_ms: int,
        *,
        ttl_seconds: float,
        grace_seconds: float,
        absence: Callable[[], Awaitable[Exception | None]],
        too_late: Callable[[], Exception],
        log: Callable[[str], None],
        resumed: bool = False,
    ) -> None:
        self.request_id = request_id
        self.asked_ms = asked_ms
        self.queues = queues
        self._clock = invocation.clock
        self._absence = absence
        self._too_late = too_late
        self._log = log
        self._waiter = ResponseWaiter(queues, channel, invocation, resumed=resumed)
        self._end_ms = asked_ms + round(ttl_seconds * 1000)
        self._check_ms = asked_ms + round(grace_seconds * 1000)
        if resumed:
            # First one look at the responses, which say more than the presence does.
            self._check_ms = max(self._check_ms, self._clock.now_ms() + invocation.plan.poll_min_ms)

    def sent(self, sent: Sent) -> None:
        """The request has been sent."""
        self._waiter.sent = sent

    async def require_stored(self) -> None:
        """Returns once the request is in KV. Only then its caller may be given an id to come back with.

        Raises:
            Unavailable: the store has not taken it.
        """
        await self._waiter.sent.stored()

    @property
    def is_spent(self) -> bool:
        """Whether this invocation has no operations left to wait with."""
        return self._waiter.is_spent

    async def next(self, deadline_ms: int) -> Message | None:
        """The host's next message, progress or the final response; `None` at `deadline_ms`, or when `is_spent`.

        Raises:
            Unavailable: the store has not taken the request, and no response has come.
            what `absence` and `too_late` return: then the request is cancelled.
        """
        while True:
            message = await self._waiter.next(self.request_id, min(deadline_ms, self._check_ms, self._end_ms))
            now = self._clock.now_ms()
            if message is not None:
                self._check_ms = now + ABSENCE_CHECK_SECONDS * 1000
                return message
            if now >= self._end_ms:
                return await self.response_or_cancel(self._too_late())
            if now >= self._check_ms:
                self._check_ms = now + ABSENCE_CHECK_SECONDS * 1000
                if absence := await self._known_absence():
                    return await self.response_or_cancel(absence)
            if now >= deadline_ms or self.is_spent:
                return None

    async def cancel(self) -> None:
        """Cancels the call. That it has its final response already, or that the store fails, is no error."""
        try:
            await self.queues.cancel(self.request_id)
        except AlreadyAnswered:
            pass
        except Unavailable as failure:
            self._log(f"a call was not cancelled: {failure.code}")

    async def response_or_cancel(self, reason: Exception) -> Message:
        """The final response if one has come since the last look; otherwise cancels the call and raises `reason`."""
        try:
            response = await self._late_response()
        except Unavailable as failure:
            self._log(f"a call was not cancelled: {failure.code}")
            response = None
        if response is None:
            raise reason
        return response

    async def _late_response(self) -> Message | None:
        try:
            await self.queues.cancel(self.request_id)
        except AlreadyAnswered:
            return await self.queues.find_final_response(self.request_id)
        return None

    async def _known_absence(self) -> Exception | None:
        try:
            return await self._absence()
        except Unavailable as failure:
            # The presence is not known, so the call goes on; the next check reads it again.
            self._log(f"a tab's presence could not be read: {failure.code}")
            return None
