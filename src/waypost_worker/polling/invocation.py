"""One invocation of the Worker: its plan, its clock, and its budget of KV operations."""

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.polling.plans import Plan, stream_ends_after
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.random import Random


class Invocation(msgspec.Struct, frozen=True):
    """The budgets of every loop. `meter` counts the operations of the whole invocation; `phase_ms` is the time within
    each half second at which the streams of its isolate poll KV."""

    plan: Plan
    clock: Clock
    meter: MeteredKv
    random: Random
    phase_ms: int = 0

    def stream_schedule(self) -> PollSchedule:
        """The schedule of a stream, which may poll slowly while it is idle."""
        plan = self.plan
        return PollSchedule(
            plan, plan.poll_max_ms, self.clock.now_ms(), self.phase_ms, plan.wake_up_max_ms, plan.asleep_poll_ms
        )

    def wait_schedule(self, *, is_only_reader: bool = False) -> PollSchedule:
        """The schedule of an open request that waits; its interval stays short. `is_only_reader`: as in
        `PollSchedule`."""
        plan = self.plan
        return PollSchedule(
            plan,
            plan.wait_poll_max_ms,
            self.clock.now_ms(),
            0,
            plan.wake_up_wait_max_ms,
            plan.asleep_wait_poll_ms,
            is_only_reader=is_only_reader,
        )

    def stream_end_ms(self) -> int:
        """When a stream that begins now ends by itself."""
        return self.clock.now_ms() + round(stream_ends_after(self.plan, self.random) * 1000)
