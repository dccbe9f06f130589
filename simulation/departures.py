"""Streams that end early so that their clients meet a younger isolate: each with a reason, after all of it, and once.

It sees what a client and the namespace see: when a stream was opened and ended, what it has sent, and what is stored.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field

from simulation.model_kv import Usage, World
from simulation.virtual_time import START_MS
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of
from waypost_worker.queues.departures import PAUSE_SECONDS

SKEW_MS = 2 * 2000
"""How far the clocks of two places may differ."""


@dataclass
class Connection:
    """One stream of the queue `scope`, in an isolate that began at `born_ms` by its own clock.

    `client`: the host that it is for, if it names itself. `sent`: the ids of the requests that it has sent.
    """

    scope: str
    client: str | None
    isolate: object
    born_ms: int
    opened: float
    usage: Usage
    sent: set[str] = field(default_factory=set)


class EarlyEnds:
    """The early ends of a run. `violations`: what was wrong with some, as sentences."""

    def __init__(self, world: World) -> None:
        self.violations: list[str] = []
        self.count = 0
        self._world = world
        self._last: dict[tuple[int, str, str], float] = {}
        # Held, so that no other isolate gets the number of one that is gone.
        self._isolates: defaultdict[int, list[object]] = defaultdict(list)

    def add(self, connection: Connection, now: float) -> None:
        """`connection` has ended by itself, before its time and its operations were spent."""
        self.count += 1
        scope = connection.scope
        if not self._met_a_younger_one(connection):
            self.violations.append(f"{scope}: a stream ended early, and no younger isolate had queued anything")
        unsent = self._unsent(connection)
        if unsent:
            self.violations.append(f"{scope}: a stream ended early, before it had sent {', '.join(unsent)}")
        if connection.client is None:
            return
        key = (id(connection.isolate), scope, connection.client)
        self._isolates[id(connection.isolate)] = [connection.isolate]
        if now - self._last.get(key, -PAUSE_SECONDS) < PAUSE_SECONDS:
            self.violations.append(f"{scope}: two streams of a host ended early in one isolate within a minute")
        self._last[key] = now

    def _met_a_younger_one(self, connection: Connection) -> bool:
        opened_ms = START_MS + connection.opened * 1000 - SKEW_MS
        for key, versions in self._world.versions.items():
            if key.startswith(f"{connection.scope}:") and cursor_ms(cursor_of(key)) >= opened_ms:
                age = json.loads(versions[0].metadata or "{}").get("age")
                if age is not None and cursor_ms(cursor_of(key)) - age * 1000 > connection.born_ms:
                    return True
        return False

    def _unsent(self, connection: Connection) -> list[str]:
        """The ids of requests that the stream's last listing had, which are in order by themselves and need no value,
        which are not answered, and which it has not sent."""
        keys = connection.usage.listed.get(f"{connection.scope}:", ())
        listed = [json.loads(key.metadata or "{}") for key in keys]
        answered = self._world.answered(connection.scope.removeprefix("req:"))
        return [
            message["id"]
            for message in listed
            if message.get("kind") == "request" and not message.keys() & {"seq", "size"}
            if message["id"] not in connection.sent | answered
        ]
