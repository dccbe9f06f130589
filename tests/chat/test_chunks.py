"""The chunks of an answer in KV: numbered, read without a gap, each once."""

from collections.abc import Sequence

from tests.support.builders import SetClock
from tests.support.faulty_kv import FaultyKv
from tests.support.namespace import Namespace
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.keys import piece_key
from waypost_worker.limits import ANSWER_TTL_SECONDS, KV_MAX_BULK_KEYS, KV_MAX_LIST_KEYS

LARGE = "x" * 2000
"""More than fits into a key's metadata."""


class Setting(Namespace[SetClock]):
    """One answer in one store."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.chunks = ChunkStore(self.kv, "g")

    async def write(self, *numbers: int, text: str = "") -> None:
        for number in numbers:
            await self.chunks.write(number, Chunk(1, text or f"{number} "))

    async def read(self, number: int = 0) -> str:
        return "".join(chunk.text for chunk in await self.chunks.read(number))


class UnseenValues(DelegatingKv):
    """A store that lists what was written and does not show the values of `unseen` yet."""

    def __init__(self, kv: FaultyKv, *unseen: str) -> None:
        super().__init__(kv)
        self._unseen = unseen

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        found = await super().get_many(keys)
        return {key: value for key, value in found.items() if key not in self._unseen}


async def test_chunks_are_read_in_their_order_as_they_were_written():
    at = Setting()
    written = [Chunk(5, "a\r\n\0 \u2028"), Chunk(6), Chunk(7, "👋", Outcome("error", 4, "code", "What it was."))]
    for number, chunk in enumerate(written):
        await at.chunks.write(number, chunk)
    assert await at.chunks.read(0) == written
    assert await at.chunks.read(1) == written[1:]
    assert await at.chunks.read(3) == []


async def test_an_answer_of_which_nothing_was_written_has_no_chunks():
    assert await Setting().read() == ""


async def test_what_comes_after_a_gap_waits_for_it():
    at = Setting()
    await at.write(0, 1, 3)
    assert await at.read() == "0 1 "
    assert await at.read(2) == ""
    await at.write(2)
    assert await at.read(2) == "2 3 "


async def test_a_chunk_that_is_written_again_is_there_once():
    at = Setting()
    await at.write(0, 0, 1)
    assert await at.read() == "0 1 "


async def test_reading_on_lists_ten_keys_at_most():
    at = Setting()
    await at.write(*range(25))
    assert await at.read(13) == "13 14 15 16 17 18 19 "
    assert at.kv.asked[-1] == ("list", "gen:g:00001")
    assert await at.read(20) == "20 21 22 23 24 "


async def test_reading_from_the_first_reads_all_in_one_listing():
    at = Setting()
    await at.write(*range(25))
    at.kv.asked.clear()
    assert (await at.read()).split() == [str(number) for number in range(25)]
    assert at.kv.asked == [("list", "gen:g:")]


async def test_an_answer_of_more_chunks_than_a_listing_has_keys_is_read_whole():
    at = Setting()
    await at.write(*range(KV_MAX_LIST_KEYS + 1))
    assert len(await at.chunks.read(0)) == KV_MAX_LIST_KEYS + 1


async def test_chunks_too_large_for_a_listing_are_read_a_hundred_at_a_time():
    at = Setting()
    await at.write(*range(KV_MAX_BULK_KEYS + 1), text=LARGE)
    await at.write(KV_MAX_BULK_KEYS + 1, text="small")
    at.kv.asked.clear()
    assert await at.read() == LARGE * (KV_MAX_BULK_KEYS + 1) + "small"
    assert [operation for operation, _ in at.kv.asked] == ["list", "get_many", "get_many"]


async def test_a_large_chunk_that_is_listed_before_its_value_is_seen_holds_back_what_follows():
    at = Setting()
    await at.write(0, 1)
    await at.write(2, 3, text=LARGE)
    await at.write(4)
    seen = ChunkStore(UnseenValues(at.kv, piece_key("g", 3)), "g")
    assert "".join(chunk.text for chunk in await seen.read(0)) == f"0 1 {LARGE}"
    assert await seen.read(3) == []


async def test_answers_do_not_see_each_others_chunks_or_stops():
    at = Setting()
    other = ChunkStore(at.kv, "h")
    await at.write(0)
    await at.chunks.request_stop()
    assert await other.read(0) == []
    assert await other.stop_request() == ""


async def test_a_stop_that_was_requested_is_found_without_reading_what_may_not_be_there():
    at = Setting()
    assert await at.chunks.stop_request() == ""
    await at.chunks.request_stop()
    assert await at.chunks.stop_request() == "stop"
    assert {operation for operation, _ in at.kv.asked} == {"put", "list"}


async def test_chunks_and_stops_are_kept_for_an_hour():
    at = Setting()
    await at.write(0)
    await at.chunks.request_stop()
    at.clock.ms += ANSWER_TTL_SECONDS * 1000 - 1
    assert await at.read() == "0 "
    assert await at.chunks.stop_request() == "stop"
    at.clock.ms += 1
    assert await at.read() == ""
    assert await at.chunks.stop_request() == ""
