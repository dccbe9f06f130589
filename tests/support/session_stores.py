"""Sessions in one namespace, as two isolates see them."""

from tests.support.builders import CODE, SetClock
from tests.support.namespace import Namespace
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.session import Session, SessionStore, session_cache


class Setting(Namespace[SetClock]):
    """One namespace, with two isolates that remember for themselves."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.here = self.isolate()
        self.elsewhere = self.isolate()

    def isolate(self) -> SessionStore:
        return SessionStore(self.kv, self.clock, session_cache(), LocalChannel(self.clock))

    def pass_seconds(self, seconds: float) -> None:
        self.clock.ms += round(seconds * 1000)

    async def opened(self, ttl_seconds: int = 600, label: str | None = None, data: object = None) -> Session:
        return await self.here.open(CODE, ttl_seconds, "192.0.2.1", label, data)
