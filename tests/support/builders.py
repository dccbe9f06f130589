"""Small things that many tests need: a clock that is put somewhere, cursors of a time, messages, queues."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS
from waypost_worker.clock import Wakeup
from waypost_worker.http.body_budget import BodyBudget
from waypost_worker.http.loads import Loads
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.kv.store import Kv
from waypost_worker.limits import MAX_ADDRESS_LOADS_BYTES, MAX_LOADS_BYTES
from waypost_worker.polling.wake_up_key import WakeUpKey
from waypost_worker.queues.message import ErrorBody, Message
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.queue import Queues

CODE = "K7Q2M9XA"
OTHER_CODE = "00000000"
REQUESTS = requests_scope(CODE)
RESPONSES = responses_scope(CODE)


class SetClock:
    """Stands where it is put; to sleep moves it, and `slept` says how long."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.ms = now_ms
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ms += round(seconds * 1000)

    def wakeup(self) -> Wakeup:
        raise AssertionError("a wakeup needs a clock that runs; this one is set")


_SOURCES: dict[int, CursorFactory] = {}


def cursor_at(seconds: float, scope: str = REQUESTS) -> str:
    """A cursor issued `seconds` after the start; a second one of the same time comes after the first."""
    ms = START_MS + round(seconds * 1000)
    source = _SOURCES.setdefault(ms, CursorFactory(SetClock(ms), SeededRandom(ms)))
    return source.issue(scope)


def request_at(seconds: float, id: str = "r", producer: str | None = None, seq: int = 0) -> Message:
    """A request; numbered if it has a producer."""
    numbered: dict[str, Any] = {"producer": producer, "seq": seq} if producer else {}
    return Message("request", id, tool="echo", args=raw({}), cursor=cursor_at(seconds), **numbered)


def skip_at(seconds: float, producer: str, seq: int) -> Message:
    """A producer's word that a number will not come."""
    return Message("skip", "s", producer=producer, seq=seq, cursor=cursor_at(seconds))


def answer_at(seconds: float, id: str = "r", result: Any = None, *, final: bool = True) -> Message:
    """A host's answer."""
    return Message("response", id, result=raw(result), final=final, cursor=cursor_at(seconds, RESPONSES))


def raw(value: Any) -> Raw | Any:
    """`value` as a result is kept: as compact JSON. What is left out stays so."""
    return UNSET if value is UNSET else Raw(msgspec.json.encode(value))


def request(tool: str = "echo", args: Any = None) -> Message:
    """A request that is not queued yet."""
    return Message("request", "", tool=tool, args=raw({} if args is None else args))


def answer(id: str, result: Any = UNSET, error: ErrorBody | Any = UNSET, *, final: bool = True) -> Message:
    """An answer that is not queued yet."""
    return Message("response", id, result=raw(result), error=error, final=final)


def make_queues(kv: Kv, clock: Any, channel: MessageChannel | None = None, seed: int = 0) -> Queues:
    """The queues of `CODE` as one isolate sees them."""
    cursors = CursorFactory(clock, SeededRandom(seed))
    return Queues(kv, CODE, cursors, channel or MessageChannel(clock), 3600, make_loads(clock))


def no_wake_up_key(kv: Kv, clock: Any) -> WakeUpKey:
    """That of a queue whose session was opened without."""
    return WakeUpKey(kv, REQUESTS, clock, exists=False)


def make_loads(clock: Any) -> Loads:
    """The large values of one request, in an isolate that sends no others."""
    return Loads(BodyBudget(clock, MAX_LOADS_BYTES, MAX_ADDRESS_LOADS_BYTES), None, clock)
