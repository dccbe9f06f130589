"""What one invocation of the Worker has to go on: its plan, its clock, and the operations it has left."""

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.polling.plans import Plan
from waypost_worker.polling.schedule import PollSchedule


class Invocation(msgspec.Struct, frozen=True):
    """The budgets that every loop keeps to. `meter` counts the operations of the whole invocation; `phase_ms` says
    when in each half second the streams of its isolate look."""

    plan: Plan
    clock: Clock
    meter: MeteredKv
    phase_ms: int = 0

    def stream_schedule(self) -> PollSchedule:
        """For a stream: it may idle slowly."""
        return PollSchedule(self.plan, self.plan.poll_max_ms, self.clock.now_ms(), self.phase_ms)

    def wait_schedule(self) -> PollSchedule:
        """For somebody who waits with an open request: it never gets slow."""
        return PollSchedule(self.plan, self.plan.wait_poll_max_ms, self.clock.now_ms())
