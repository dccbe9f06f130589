"""One run of a conversation: writers and readers in several locations, then a silence in which all must agree."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from tests.simulation.model_kv import LocationKv, Weather, World
from tests.support.seeded_random import SeededRandom
from tests.support.virtual_time import VirtualClock, run
from waypost.conversation import Checks, Conversation
from waypost.cursor import CursorFactory
from waypost.errors import Unavailable
from waypost.item import Item, ToolCall, cut
from waypost.retrying_kv import RetryingKv

TTL_SECONDS = 1200
LIMITS = (10, 40, 80)
"""Items kept: also more than a journal holds, so that what was folded twice still shows."""

SETTLE_SECONDS = (150, TTL_SECONDS - 60)
"""The longer one: nothing of what is kept may end before the conversation does."""


@dataclass
class Talk:
    """What was said, as those know who said it."""

    accepted: dict[str, str] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    limit: int = 10
    last: float = 0.0


class Places:
    """Isolates in every location, each with its own clock, cursors and memory; now and then one is new."""

    def __init__(self, world: World, random: Random, limit: int) -> None:
        self._world = world
        self._limit = limit
        self._random = random
        self._skews = [random.randint(-2000, 2000) for _ in range(world.locations)]
        self._isolates: dict[int, tuple[CursorFactory, Checks]] = {}

    def conversation(self, location: int) -> Conversation:
        clock, seeded = VirtualClock(self._skews[location]), SeededRandom(self._random.getrandbits(32))
        if location not in self._isolates or self._random.random() < 0.1:
            self._isolates[location] = (CursorFactory(clock, seeded), {})
        kv = RetryingKv(LocationKv(self._world, location), clock, seeded)
        return Conversation(kv, clock, *self._isolates[location], "talk", TTL_SECONDS, self._limit)


def simulate_conversation(seed: int) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed))


async def _scenario(seed: int) -> list[str]:
    random = Random(seed)
    bad = random.choice((0.0, 0.5, 1.0, 2.0))
    weather = Weather(min(0.5 * bad, 1), 0.05 * bad, min(0.5 * bad, 1), 0.05 * bad, 0.02 * bad, 0.02 * bad)
    world = World(random, random.randint(1, 4), weather)
    talk = Talk(limit=random.choice(LIMITS))
    places = Places(world, random, talk.limit)
    writers = [_write(places, talk, random, world.locations, f"w{number}") for number in range(random.randint(1, 4))]
    await asyncio.gather(*writers, _read(places, talk, random, world.locations))
    await asyncio.sleep(random.choice(SETTLE_SECONDS) - (asyncio.get_running_loop().time() - talk.last))
    views = [await _settled(places, location) for location in range(world.locations)]
    for view in views:
        talk.violations += _compare(talk, view)
    if any([item.id for item in view] != [item.id for item in views[0]] for view in views):
        talk.violations.append("two locations do not agree")
    return talk.violations


async def _write(places: Places, talk: Talk, random: Random, locations: int, name: str) -> None:
    home, pause = random.randrange(locations), random.choice((2, 10, 20, 100, 200))
    for number in range(random.randint(1, 25)):
        await asyncio.sleep(random.expovariate(1 / pause) % (TTL_SECONDS / 2))
        location = home if random.random() < 0.8 else random.randrange(locations)
        conversation = places.conversation(location)
        for item in _items(random, f"{name}-{number}"):
            talk.items[item.id] = item
            try:
                talk.accepted[item.id] = await conversation.append([item])
                talk.last = asyncio.get_running_loop().time()
                await conversation.tidy()
            except Unavailable:
                if item.id not in talk.accepted:
                    talk.refused.add(item.id)


def _items(random: Random, name: str) -> list[Item]:
    if random.random() < 0.2:
        return [
            Item(f"{name}-call", "assistant", "", 0, tool_calls=[ToolCall(name)]),
            Item(f"{name}-result", "tool", "x" * random.choice((1, 3000)), 0, tool_call_id=name),
        ]
    return [Item(name, "user", "hello", 0)]


async def _read(places: Places, talk: Talk, random: Random, locations: int) -> None:
    for _ in range(20):
        await asyncio.sleep(random.uniform(1, 60))
        try:
            view = await places.conversation(random.randrange(locations)).read()
        except Unavailable:
            continue
        if len(view) > talk.limit:
            talk.violations.append(f"{len(view)} items are kept")
        calls = {call.id for item in view for call in item.tool_calls}
        talk.violations += [
            f"an answer without its call: {item.id}" for item in view if item.tool_call_id not in calls | {None}
        ]
        talk.violations += [f"never said: {item.id}" for item in view if talk.items.get(item.id) != item]


async def _settled(places: Places, location: int) -> list[Item]:
    while True:
        try:
            return await places.conversation(location).read()
        except Unavailable:
            await asyncio.sleep(1)


def _compare(talk: Talk, view: list[Item]) -> list[str]:
    """The view is the union of all appends, in order, cut; of those that were refused some may have taken effect."""
    accepted = [talk.items[name] for _, name in sorted((cursor, name) for name, cursor in talk.accepted.items())]
    shown = {item.id for item in view}
    # What was refused and took effect all the same has a place among the last ones: seen, or, an answer of a tool whose
    # call is the first to be cut off, unseen.
    unsure = [name for name in talk.refused if name in shown or talk.items[name].tool_call_id]
    missing = [item.id for item in cut(accepted, talk.limit - len(unsure)) if item.id not in shown]
    return [f"accepted, among the last {talk.limit}, and not in the history: {name}" for name in missing]
