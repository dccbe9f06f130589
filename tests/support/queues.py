"""The queues of one session, as tests of queues have them."""

from tests.support.builders import SetClock, make_queues
from tests.support.namespace import Namespace
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.queue import Queues

LARGE = "x" * 2000
"""A text that a key's metadata has no room for."""


class Setting(Namespace[SetClock]):
    """One isolate's queues, and the namespace that they are in."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.channel = MessageChannel(self.clock)
        self.queues = make_queues(self.kv, self.clock, self.channel)


async def all_of(queues: Queues, scope: str) -> list[Message]:
    return [message async for page in queues.pages(scope) for message in page]


async def loaded(queues: Queues, messages: list[Message]) -> list[list[Message]]:
    return [batch async for batch in queues.load(messages)]
