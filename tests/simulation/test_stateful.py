"""A host's reader against a listing that lies in every way it may, step by step, so that a failure shrinks to its core.

The model is small enough to be obvious: what was sent and not answered must reach the host, in order for each producer,
once on each connection, and flagged as a replay on a later one.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from simulation.planted import high_water_mark, no_dedupe, no_order, unflagged_replay
from simulation.seeded_random import SeededRandom
from tests.support.builders import SetClock, raw
from waypost_worker.kv.cursor import CursorFactory, parse_event_id
from waypost_worker.limits import REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message
from waypost_worker.queues.reader import HostReader

SCOPE = "req:K7Q2M9XA"
WINDOW_MS = REORDER_WINDOW_SECONDS * 1000
MAY_HIDE_MS = MAY_LINGER_MS = 120_000
"""How long a message may be missing from a listing after it was sent, and still be in one after it was removed."""


class HostMachine(RuleBasedStateMachine):
    """One host, three producers, and a queue that only time makes honest."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.cursors = CursorFactory(self.clock, SeededRandom())
        self.live: dict[str, Message] = {}
        self.removed: dict[str, tuple[Message, int]] = {}
        self.numbers = {"a": 0, "b": 0}
        self.had: list[Message] = []
        self.had_cursors: set[str] = set()
        self.missing: set[tuple[str, int]] = set()
        self.last_id: str | None = None
        self.connect()

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    @rule()
    def connect(self) -> None:
        """The host comes back with the last id that it was given."""
        after = parse_event_id(self.last_id, SCOPE) if self.last_id else None
        self.reader = HostReader(SCOPE, after)
        self.had_before = set(self.had_cursors)
        self.on_connection: set[str] = set()
        self.resumed = after is not None

    @rule(producer=st.sampled_from(["a", "b", ""]), copies=st.integers(1, 2))
    def send(self, producer: str, copies: int) -> None:
        """A request. A second copy is a retry whose sender got no reply to the first."""
        number = {}
        if producer:
            self.numbers[producer] += 1
            number = {"producer": producer, "seq": self.numbers[producer]}
        name = f"{producer or 'x'}-{len(self.live) + len(self.removed)}-{self.now}"
        for _ in range(copies):
            cursor = self.cursors.issue(SCOPE)
            self.live[cursor] = Message("request", name, tool="t", args=raw({}), cursor=cursor, **number)

    @rule(seconds=st.sampled_from([1, 30, 119, 200]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.ms += seconds * 1000

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A listing that hides some young keys, and still shows some keys that were removed recently."""
        young = [cursor for cursor in self.live if self.now - self.live[cursor].accepted_ms < MAY_HIDE_MS]
        hidden = data.draw(st.sets(st.sampled_from(young))) if young else set()
        gone = [cursor for cursor, (_, at) in self.removed.items() if self.now - at < MAY_LINGER_MS]
        lingering = data.draw(st.sets(st.sampled_from(gone))) if gone else set()
        shown = {cursor: message for cursor, message in self.live.items() if cursor not in hidden}
        shown |= {cursor: self.removed[cursor][0] for cursor in lingering}
        self._take(shown)

    @precondition(lambda self: self.had)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """The host answers something that it had: that removes every copy that is seen."""
        name = data.draw(st.sampled_from([message.id for message in self.had]))
        for cursor in [cursor for cursor, message in self.live.items() if message.id == name]:
            self.removed[cursor] = (self.live.pop(cursor), self.now)

    def _take(self, shown: dict[str, Message]) -> None:
        wanted = [shown[cursor] for cursor in sorted(shown) if self.reader.wants(shown[cursor])]
        for event in [*self.reader.deliver(wanted, self.now), *self.reader.deliver([], self.now)]:
            data: dict[str, Any] = msgspec.json.decode(event.data)
            if event.name == "gap":
                self.missing |= {(data["producer"], number) for number in range(data["seq"], data["before"])}
                continue
            assert data["id"] not in self.on_connection, "delivered twice on one connection"
            self.on_connection.add(data["id"])
            if self.resumed and data["cursor"] in self.had_before:
                assert data.get("replay"), "sent again, and not flagged"
            if data["id"] not in [message.id for message in self.had]:
                self.had.append(shown.get(data["cursor"]) or self.live.get(data["cursor"]) or self._held(data))
            self.had_cursors.add(data["cursor"])
            self.last_id = event.id
        self.reader.forget(set(shown), self.now)

    def _held(self, data: dict[str, Any]) -> Message:
        return self.removed[data["cursor"]][0]

    @invariant()
    def order_holds(self) -> None:
        """Each producer's numbers came in order, but for those that were reported as missing."""
        seen = set(self.missing)
        for message in self.had:
            if message.number:
                before = {(str(message.producer), number) for number in range(1, message.number)}
                assert before <= seen, f"{message.producer}-{message.number} came too early"
                seen.add((str(message.producer), message.number))

    def teardown(self) -> None:
        """When time has made the listing honest, everything unanswered has come."""
        self.clock.ms += WINDOW_MS + 1000
        self._take(dict(self.live))
        self.order_holds()
        had = {message.id for message in self.had}
        assert {message.id for message in self.live.values()} <= had


TestHost = HostMachine.TestCase
TestHost.settings = settings(max_examples=150, stateful_step_count=25)
FIND = settings(TestHost.settings, report_multiple_bugs=False, phases=[Phase.generate])
"""Without shrinking the story: it takes long, and a planted bug's story is not read."""


@pytest.mark.parametrize("bug", [high_water_mark, no_dedupe, no_order, unflagged_replay], ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found_in_short_stories_too(bug: Any) -> None:
    with bug(), pytest.raises(AssertionError):
        run_state_machine_as_test(HostMachine, settings=FIND)
