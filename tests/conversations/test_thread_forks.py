"""Forks of threads: where they came from is known, ends, and outlives what they came from."""

import pytest

from simulation.virtual_time import START_MS
from tests.support.threads import ADA, Setting
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.conversations.thread import Thread
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_LINEAGE


class BehindKv(MemoryKv):
    """Reads by key what was there `before`, as another location may for a minute."""

    before: str | None = None

    async def get(self, key: str) -> str | None:
        return self.before


class Family(Setting):
    """Threads that are forked from each other."""

    async def forked(self, parent: str, thread_id: str, message_id: str | None = None) -> Thread:
        """A fork of what is found, saved and found again."""
        await self.threads.save(await self.threads.fork(await self.found(parent), thread_id, message_id))
        return await self.found(thread_id)


async def test_a_fork_knows_where_it_came_from_and_has_a_conversation_of_its_own():
    at = Family()
    parent = await at.saved("a", agent="helper", metadata={"a": 1})
    fork = await at.forked("a", "b", "m1")
    assert fork.forked_from == ForkOrigin("a", "m1")
    assert fork.session_id == at.threads.session_id_for(ADA, "b") != parent.session_id
    assert (fork.agent, fork.metadata) == ("helper", {"a": 1})
    assert (await at.found("a")) == parent


async def test_a_fork_may_have_an_agent_and_metadata_of_its_own():
    at = Family()
    parent = await at.saved("a", agent="helper", metadata={"a": 1})
    fork = await at.threads.fork(parent, "b", agent="other", metadata={})
    assert (fork.agent, fork.metadata, fork.forked_from) == ("other", {}, ForkOrigin("a"))


async def test_a_fork_of_a_fork_knows_both_the_nearest_first():
    at = Family()
    await at.saved("a")
    await at.forked("a", "b", "m1")
    fork = await at.forked("b", "c")
    assert fork.forked_from == ForkOrigin("b")
    assert await at.threads.lineage_of(fork) == [ForkOrigin("b"), ForkOrigin("a", "m1")]


async def test_the_lineage_is_read_only_where_there_is_more_than_the_list_shows():
    at = Family()
    await at.saved("a")
    first = await at.forked("a", "b")
    second = await at.forked("b", "c")
    at.operations()
    await at.threads.lineage_of(await at.saved("d"))
    await at.threads.lineage_of(first)
    assert at.operations() == ["put"]
    await at.threads.lineage_of(second)
    assert at.operations() == ["get"]


async def test_using_a_fork_of_a_fork_loses_no_ancestor():
    at = Family()
    await at.saved("a")
    await at.forked("a", "b")
    await at.forked("b", "c")
    for _ in range(2):
        await at.threads.save(at.threads.touch(await at.found("c"), metadata={"a": 1}))
    assert await at.threads.lineage_of(await at.found("c")) == [ForkOrigin("b"), ForkOrigin("a")]


@pytest.mark.parametrize("before", [None, "", '[{"threadId":"x"},{"threadId":"y"}]'])
async def test_where_the_older_ancestors_can_not_be_read_yet_the_nearest_is_known(before: str | None):
    at = Family(BehindKv)
    lineage = [ForkOrigin("b"), ForkOrigin("a")]
    thread = Thread(ADA, "c", "s", START_MS, START_MS, lineage=lineage)
    await at.threads.save(thread)
    assert isinstance(at.store, BehindKv)
    at.store.before = before
    found = await at.found("c")
    assert await at.threads.lineage_of(found) == [ForkOrigin("b")]
    await at.threads.save(found)
    assert (await at.found("c")).forked_from == ForkOrigin("b")


async def test_a_thread_may_be_forked_from_its_own_fork_after_it_was_deleted():
    at = Family()
    await at.saved("a")
    for _ in range(3):
        await at.forked("a", "b")
        await at.threads.delete(await at.found("a"))
        await at.forked("b", "a")
        await at.threads.delete(await at.found("b"))
    lineage = await at.threads.lineage_of(await at.found("a"))
    assert [origin.thread_id for origin in lineage] == ["b", "a"] * 3


async def test_a_lineage_is_bounded():
    at = Family()
    await at.saved("0")
    for number in range(MAX_LINEAGE + 2):
        await at.forked(str(number), str(number + 1))
    lineage = await at.threads.lineage_of(await at.found(str(MAX_LINEAGE + 2)))
    assert [origin.thread_id for origin in lineage] == [str(n) for n in range(MAX_LINEAGE + 1, 1, -1)]
