"""One run of a conversation: writers and readers in several locations, then a silence after which all must agree.

Some writers append; some write like a chat: the question with an open answer, then the partial text, then the final
text, or none. A question may be asked again, the next writer closes an answer that seems abandoned, and now and then
the conversation is deleted or replaced. Some messages have an image.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from random import Random
from typing import Any

import msgspec

from simulation.model_kv import LocationKv, Weather, World
from simulation.profiles import Profile
from simulation.seeded_random import SeededRandom
from simulation.talk import SETTLED_SECONDS, Recorded, Talk, now
from simulation.virtual_time import VirtualClock, run
from waypost_worker.chat.question import Question
from waypost_worker.chat.turn import Turn
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.conversations.conversation import CompactionChecks, compaction_checks
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolCall
from waypost_worker.conversations.recent_pops import RecentPops
from waypost_worker.errors import Unavailable
from waypost_worker.kv.cursor import CursorFactory, cursor_ms
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.limits import MIN_APART_BYTES

TTL_SECONDS = (1200, 3600)
LIMITS = (10, 40, 80)
"""Messages kept: also more than a journal holds, so that messages that were compacted twice are still shown."""

PAUSES = (2, 10, 20, 100, 200, 600)
"""Mean seconds between two actions of a writer."""


class Places:
    """An isolate in every location, each with its own clock, cursors and memory; now and then it is replaced."""

    def __init__(self, world: World, random: Random, talk: Talk) -> None:
        self._world = world
        self._talk = talk
        self._random = random
        self._skews = [random.randint(-2000, 2000) for _ in range(world.locations)]
        self._isolates: dict[int, tuple[CursorFactory, CompactionChecks, RecentPops]] = {}

    def conversation(self, location: int) -> Recorded:
        """The conversation, for one request that reaches `location`."""
        clock, seeded = VirtualClock(self._skews[location]), SeededRandom(self._random.getrandbits(32))
        if location not in self._isolates or self._random.random() < 0.1:
            self._isolates[location] = (CursorFactory(clock, seeded), compaction_checks(), RecentPops())
        kv = RetryingKv(LocationKv(self._world, location), clock, seeded)
        talk = self._talk
        cursors, checks, pops = self._isolates[location]
        conversation = Recorded(
            kv, clock, cursors, checks, "talk", talk.ttl_seconds, talk.limit, lambda _: None, pops=pops
        )
        conversation.talk = talk
        return conversation


class Writer:
    """A writer of the conversation, mostly in one location."""

    def __init__(self, places: Places, talk: Talk, random: Random, locations: int, name: str) -> None:
        self._places = places
        self._talk = talk
        self._random = random
        self._locations = locations
        self._name = name
        self._home = random.randrange(locations)
        self._pause = random.choice(PAUSES)
        self._chats = random.random() < 0.6
        self._pops = random.random() < 0.4
        self._is_rude = random.random() < 0.3
        self._asked: list[tuple[str, str]] = []
        """Its questions, each with its answer, however long ago."""

    async def write(self) -> None:
        """Takes a random number of actions, one after the other."""
        for number in range(self._random.randint(1, 25)):
            await asyncio.sleep(self._random.expovariate(1 / self._pause) % (self._talk.ttl_seconds / 2))
            await self.write_one(f"{self._name}-{number}")

    async def write_one(self, name: str) -> None:
        """Takes one action."""
        is_home = self._random.random() < 0.8
        conversation = self._places.conversation(self._home if is_home else self._random.randrange(self._locations))
        if self._is_rude and self._random.random() < 0.15:
            await self._try(conversation, self._forget(conversation, name))
        elif self._pops and self._random.random() < 0.3:
            await self._pop(conversation, name)
        elif self._chats and self._random.random() < 0.5:
            await self._try(conversation, self._ask(conversation, name))
        else:
            if self._random.random() < 0.2:
                await self._try(conversation, conversation.append(self._group(name)))
                return
            for item in self._items(name):
                if item.id in self._talk.images and self._random.random() < 0.3:
                    await self._break_off(conversation, item)
                elif not await self._try(conversation, conversation.append([item])) and self._random.random() < 0.5:
                    await self._try(conversation, conversation.append([item]))

    async def _try(self, conversation: Recorded, work: Awaitable[object]) -> bool:
        try:
            await work
            await conversation.compact_if_due()
        except Unavailable:
            return False
        return True

    async def _break_off(self, conversation: Recorded, item: ChatMessage) -> None:
        """Appends `item` in an isolate that is lost meanwhile."""
        appending = asyncio.ensure_future(self._try(conversation, conversation.append([item])))
        await asyncio.wait({appending}, timeout=self._random.uniform(0, 0.1))
        appending.cancel()
        await asyncio.wait({appending})

    async def _pop(self, conversation: Recorded, name: str) -> None:
        """Pops like a client: under one id until it succeeds, and now and then once more."""
        for _ in range(20):
            if await self._try(conversation, conversation.pop(name)):
                break
            await asyncio.sleep(self._random.uniform(0, 5))
        if self._random.random() < 0.5:
            await asyncio.sleep(self._random.choice((0, 10, 200, 400)))
            elsewhere = self._places.conversation(self._random.randrange(self._locations))
            await self._try(elsewhere, elsewhere.pop(name))

    def _group(self, name: str) -> list[ChatMessage]:
        """What an agent's framework appends: opaque items of one group, in one write."""
        contents: list[Any] = [
            {"type": "reasoning", "id": name},
            {"type": "function_call", "call_id": name},
            {"type": "function_call_output", "call_id": name, "output": "x" * self._random.choice((1, 3000))},
        ]
        items = [ChatMessage(f"{name}-{part}", "assistant", content, 0) for part, content in enumerate(contents)]
        group = [item.id for item in items]
        self._talk.groups |= dict.fromkeys(group, group)
        return items

    def _items(self, name: str) -> list[ChatMessage]:
        if self._random.random() < 0.2:
            text = "x" * self._random.choice((1, 3000))
            return [
                ChatMessage(f"{name}-call", "assistant", "", 0, tool_calls=[ToolCall(name)]),
                ChatMessage(f"{name}-result", "tool", text, 0, tool_call_id=name),
            ]
        if self._random.random() < 0.2:
            return [self._picture(name)]
        return [ChatMessage(name, "user", "hello", 0)]

    def _picture(self, name: str) -> ChatMessage:
        url = f"data:image/png;base64,{name}".ljust(MIN_APART_BYTES, "A")
        self._talk.images[name] = url
        return ChatMessage(name, "user", [{"type": "image_url", "image_url": {"url": url}}], 0)

    async def _forget(self, conversation: Recorded, name: str) -> None:
        if self._random.random() < 0.5:
            forgetting = asyncio.ensure_future(conversation.forget())
            if self._random.random() < 0.3:
                # As the same person does whose first deletion takes its time.
                await asyncio.sleep(self._random.uniform(0, 0.3))
                await self._try(conversation, conversation.append([self._picture(name)]))
            await forgetting
        else:
            items = [
                ChatMessage(f"{name}-{number}", "user", "imported", 0) for number in range(self._random.randrange(3))
            ]
            await conversation.replace(items, ForkOrigin("elsewhere"))

    async def _ask(self, conversation: Recorded, name: str) -> None:
        """Writes a question and its answer like the chat."""
        history = await conversation.history()
        items, older = history.items, history.older
        ended = [as_partial(item) for item in items if item.is_open and self._random.random() < 0.5]
        generation_id = conversation.new_cursor()
        if self._random.random() < 0.2:
            # Written together with its answer, which took long.
            await asyncio.sleep(self._random.choice((20, 200)))
            complete = ChatMessage(generation_id, "assistant", "the answer", 0)
            await conversation.append([ChatMessage(name, "user", "a question", 0), complete], cursor=generation_id)
            return
        asked = ChatMessage(name, "user", "a question", cursor_ms(generation_id))
        question = Question("again", name)
        old = [item for item in items[-6:] if item.role == "user"]
        hidden = [ids for ids in self._asked if ids[0] not in {item.id for item in items}]
        if hidden and self._random.random() < 0.4:
            # As a page that shows more than is kept.
            message_id, answer_id = self._random.choice(hidden)
            asked = ChatMessage(message_id, "user", f"{name} again", cursor_ms(generation_id))
            question = Question("again", message_id, regenerate=True, answer_id=answer_id)
        elif old and self._random.random() < 0.6:
            asked = msgspec.structs.replace(self._random.choice(old), content=f"{name} anew", place="")
        self._asked.append((asked.id, generation_id))
        self._talk.asks(asked.id, generation_id, {item.id for item in (*older, *items)})
        replaces_all = question.is_about_cut_message([*older, *items])
        turn = Turn(
            items,
            asked,
            generation_id,
            is_ui=False,
            limit=self._talk.limit,
            older=older,
            replaces_all=replaces_all,
            is_again=question.regenerate,
        )
        ended = [item for item in ended if item.id not in turn.drops]
        empty = [item.id for item in ended if not item.content]
        replaced = conversation.dropped_since(turn.drops[0]) if turn.drops else []
        closed = [item for item in ended if item.content]
        answer = turn.added[-1]
        is_taken_back = self._random.random() < 0.1
        entries: list[str] = []
        try:
            await conversation.append(
                [*closed, *turn.added], drops=[*turn.drops, *replaced, *empty], cursor=generation_id, entries=entries
            )
            await asyncio.sleep(self._random.uniform(0, 20))
        except Unavailable:
            # As a chat does: it may have taken effect.
            is_taken_back = True
            await asyncio.sleep(self._random.uniform(0, 20))
        if is_taken_back:
            await conversation.retract(entries[0], [*closed, *turn.replaced], drops=[answer.id, *empty])
            return
        for text in ("So", "So far")[: self._random.randrange(3)]:
            await conversation.append([msgspec.structs.replace(answer, content=text)])
            await asyncio.sleep(self._random.choice((1, 20, 200)))
        if self._random.random() < 0.8:
            is_partial = self._random.random() < 0.3
            complete = msgspec.structs.replace(answer, content="So far, so good", is_open=False, partial=is_partial)
            await conversation.append([complete])


def simulate_conversation(seed: int, profile: Profile) -> list[str]:
    """The violations of one run from `seed`."""
    return run(_scenario(seed, profile))


async def _scenario(seed: int, profile: Profile) -> list[str]:
    random = Random(seed)
    bad = random.choice((0.0, 0.5, 1.0, 2.0))
    weather = Weather(min(0.5 * bad, 1), 0.05 * bad, min(0.5 * bad, 1), 0.05 * bad, 0.02 * bad, 0.02 * bad)
    world = profile.world(random, weather)
    talk = Talk(random.choice(LIMITS), random.choice(TTL_SECONDS))
    places = Places(world, random, talk)
    writers = [Writer(places, talk, random, world.locations, f"w{number}") for number in range(random.randint(1, 4))]
    await asyncio.gather(*(writer.write() for writer in writers), _read(places, talk, random, world.locations))
    # The longer silence: no part of the conversation may expire before the conversation does.
    await _silence(places, talk, SETTLED_SECONDS, world.locations)
    for number in range(random.choice((0, 1, 12))):
        await writers[0].write_one(f"late-{number}")
    await _silence(places, talk, random.choice((SETTLED_SECONDS, talk.ttl_seconds - 60)), world.locations)
    return talk.violations


async def _silence(places: Places, talk: Talk, seconds: float, locations: int) -> None:
    """No writes for `seconds`, after which all locations must agree."""
    # A refused write may have taken effect, and become visible late.
    await asyncio.sleep(max(talk.last + seconds, talk.quiet_since + SETTLED_SECONDS) - now())
    views = [await _settled(places, talk, location) for location in range(locations)]
    if any(view != views[0] for view in views):
        talk.violations.append("two locations do not agree")


async def _read(places: Places, talk: Talk, random: Random, locations: int) -> None:
    for _ in range(20):
        await asyncio.sleep(random.uniform(1, 60))
        with suppress(Unavailable):
            await _look(places, talk, random.randrange(locations))


async def _settled(places: Places, talk: Talk, location: int) -> list[ChatMessage]:
    while True:
        try:
            return await _look(places, talk, location)
        except Unavailable:
            await asyncio.sleep(1)


async def _look(places: Places, talk: Talk, location: int) -> list[ChatMessage]:
    began = now()
    conversation = places.conversation(location)
    history = await conversation.history()
    talk.check(history, began)
    talk.check_images(await conversation.shown(history.items))
    return history.items
