"""How probable it is that a code is guessed: the formula, the page that says it, and an attacker that tries."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from math import sqrt

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock, run
from tools.guessing import (
    BEGIN,
    END,
    LIVE_SESSIONS,
    MINUTES_OF_A_DAY,
    PAGE,
    chance,
    codes,
    expected_hits,
    misses_a_minute,
    table,
)
from waypost_worker.ids import CROCKFORD
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_CODE_LENGTH, MAX_LOOKUPS_AT_ONCE, MIN_CODE_LENGTH
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.security.rate_limits import PERIOD_SECONDS, Limit
from waypost_worker.sessions.session import SessionStore, session_cache
from waypost_worker.settings import Settings

BUDGET = misses_a_minute() - MAX_LOOKUPS_AT_ONCE


def test_the_page_has_the_table_as_it_is_computed() -> None:
    assert PAGE.read_text().split(BEGIN)[1].split(END)[0] == table(), "run `npm run guessing`"


def test_what_the_page_says_is_so() -> None:
    words = " ".join(PAGE.read_text().split())
    assert (BUDGET, MAX_LOOKUPS_AT_ONCE, PERIOD_SECONDS, LIVE_SESSIONS) == (10, 10, 60, 100_000)
    assert "may be wrong with ten codes a minute" in words
    assert "ten codes of it that are on their way" in words
    a_day = misses_a_minute() * MINUTES_OF_A_DAY
    assert f"{round(100_000 * misses_a_minute() / 60, -3):,.0f} requests a second" in words
    # "On most days", "hundreds of times a day"; and with a hundred live sessions rarely.
    assert chance(1_000 * a_day, LIVE_SESSIONS, codes(8)) > 0.5
    assert 200 < expected_hits(100_000 * a_day, LIVE_SESSIONS, codes(8)) < 1000
    assert chance(1_000 * a_day, 100, codes(8)) < 0.003
    assert "One in 4,000" in words
    assert "| one in 4,000 |" in words


def test_the_table_is_for_lengths_that_can_be_set() -> None:
    lengths = [int(line.split("|")[1]) for line in table().splitlines()[2:]]
    assert (lengths[0], lengths[-1]) == (MIN_CODE_LENGTH, MAX_CODE_LENGTH)
    assert (codes(8), codes(16)) == (2**40, 2**80)


@pytest.mark.parametrize("misses", [0, 1, 1000])
def test_where_no_session_lives_none_is_found(misses: int) -> None:
    assert (expected_hits(misses, 0, 1024), chance(misses, 0, 1024)) == (0, 0)


def test_small_cases_are_those_that_can_be_counted_by_hand() -> None:
    # Half of the codes live: before the first miss one is found on average, and there is one in half of the cases.
    assert (expected_hits(1, 512, 1024), chance(1, 512, 1024)) == (1, pytest.approx(0.5))
    assert chance(2, 512, 1024) == pytest.approx(0.75)
    assert expected_hits(3, 256, 1024) == 1


def test_what_is_very_improbable_is_not_rounded_to_nothing() -> None:
    assert chance(1, 1, 2**80) == pytest.approx(2**-80)


# An attacker, in a space of codes small enough that it finds something: six zeros and two characters.
LIVE, SPACE = 16, 1024
MINUTES = 360
ATTACK_MINUTES = 3
"""After which it is asked whether this attack has found a code; the next one begins then."""
TRIES = 40
"""What it sends off in a minute, refused or not."""
SIGMAS = 4


class SlowKv(MemoryKv):
    """Takes its time, so that a second guess can come while the first one is looked up; counts those that miss."""

    misses = 0

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        await asyncio.sleep(0.01)
        found = await super().get_many(keys)
        self.misses += not found
        return found


class Window:
    """The platform's limiter: so many uses of a key in each minute of the clock."""

    def __init__(self, uses: int) -> None:
        self._uses = uses
        self._clock = VirtualClock()
        self._counts: Counter[tuple[str, int]] = Counter()

    async def allows(self, key: str) -> bool:
        await asyncio.sleep(0.001)
        window = (key, self._clock.now_ms() // (PERIOD_SECONDS * 1000))
        self._counts[window] += 1
        return self._counts[window] <= self._uses


class Attack:
    """Guesses through the whole application, `at_once` at a time, for `MINUTES`."""

    def __init__(self, at_once: int, *, throttled: bool = True) -> None:
        self._at_once = at_once
        self._random = random.Random(20260101)
        self._kv = SlowKv(VirtualClock())
        limiters = {Limit.MISS: Window(BUDGET)} if throttled else {}
        self._client = make_client(Settings(signing_keys=(KEY,)), self._kv, limiters)
        self.hits: list[int] = []
        """Of each minute."""
        self._untried: list[int] = []
        run(self._run())
        self.misses_a_minute = self._kv.misses / MINUTES

    async def _run(self) -> None:
        store = SessionStore(self._kv, VirtualClock(), session_cache(), LocalChannel(VirtualClock()))
        for number in self._random.sample(range(SPACE), LIVE):
            await store.open(code_of(number), 24 * 3600, None, None, None)
        for minute in range(MINUTES):
            if minute % ATTACK_MINUTES == 0:
                # Trying a code twice gives no information; and each attack comes from another address.
                self._untried = self._random.sample(range(SPACE), SPACE)
            self.hits.append(0)
            for _ in range(TRIES // self._at_once):
                guesses = (self._guess(minute // ATTACK_MINUTES) for _ in range(self._at_once))
                self.hits[-1] += sum(await asyncio.gather(*guesses))
            # A little more than a minute: it waits until it is let in again.
            await asyncio.sleep(61)

    async def _guess(self, attack: int) -> bool:
        url = f"/api/sessions/{code_of(self._untried.pop())}"
        return (await self._client.open("GET", url, ip=f"10.0.0.{attack}")).status == 200

    def successes(self) -> int:
        """How many of the attacks have found a code."""
        return sum(any(self.hits[i : i + ATTACK_MINUTES]) for i in range(0, MINUTES, ATTACK_MINUTES))


def code_of(number: int) -> str:
    return f"000000{CROCKFORD[number // 32]}{CROCKFORD[number % 32]}"


def surprise(count: float, expected: float, variance: float) -> float:
    """How far `count` is from what was expected, in standard deviations."""
    return (count - expected) / sqrt(variance)


def surprises(attack: Attack, misses_a_minute: float) -> tuple[float, float]:
    """How far what was found, and how often something was, is from the formulas for so many misses."""
    odds = expected_hits(1, LIVE, SPACE)
    hits = expected_hits(misses_a_minute * MINUTES, LIVE, SPACE)
    probability = chance(misses_a_minute * ATTACK_MINUTES, LIVE, SPACE)
    attacks = MINUTES / ATTACK_MINUTES
    return (
        surprise(sum(attack.hits), hits, hits * (1 + odds)),
        surprise(attack.successes(), attacks * probability, attacks * probability * (1 - probability)),
    )


@pytest.mark.parametrize(
    ("at_once", "misses"),
    [
        # One after the other: the budget, and the one that is over it.
        (1, BUDGET + 1),
        # The best that can be done: a second wave is on its way when the first one has spent the budget.
        (MAX_LOOKUPS_AT_ONCE, misses_a_minute()),
        # Sending all concurrently is no use: most are refused without a look-up.
        (TRIES, MAX_LOOKUPS_AT_ONCE),
    ],
)
def test_an_attacker_finds_what_the_formulas_say(at_once: int, misses: int) -> None:
    attack = Attack(at_once)
    assert attack.misses_a_minute == pytest.approx(misses, rel=0.03)
    assert max(map(abs, surprises(attack, misses))) < SIGMAS


def test_codes_asked_for_again_find_what_was_opened_within_the_minute_and_no_more() -> None:
    # Such repeats cost no budget; so the sessions that live at any time in a minute are what is guessed among.
    opened, minutes = 64, 400

    async def attack() -> int:
        clock = VirtualClock()
        kv, rng, hits = MemoryKv(clock), random.Random(20260102), 0
        client = make_client(Settings(signing_keys=(KEY,)), kv, {Limit.MISS: Window(BUDGET)})
        store = SessionStore(kv, clock, session_cache(), LocalChannel(clock))
        for minute in range(minutes):
            live = rng.sample(range(SPACE), opened)
            guesses = [code_of(number) for number in rng.sample(range(SPACE), BUDGET)]
            found = set()
            for begin in (0, opened // 2):
                for number in live[begin : begin + opened // 2]:
                    await store.open(code_of(number), 60, None, None, None)
                for code in guesses * 3:
                    reply = await client.open("GET", f"/api/sessions/{code}", ip=f"10.0.{minute // 250}.{minute % 250}")
                    assert reply.status in (200, 404)
                    found |= {code} if reply.status == 200 else set()
            hits += len(found)
            await asyncio.sleep(61)
        return hits

    odds = opened / SPACE
    tries = BUDGET * minutes
    assert abs(surprise(run(attack()), tries * odds, tries * odds * (1 - odds))) < SIGMAS


def test_without_its_throttle_an_attacker_would_find_more_than_they_say() -> None:
    assert min(surprises(Attack(1, throttled=False), misses_a_minute())) > SIGMAS
