"""MCP addresses: derived from a secret, taken by the newest session, withdrawn for good, also where KV is behind."""

import pytest

from simulation.virtual_time import START_MS
from tests.support.builders import CODE, OTHER_CODE, SetClock
from tests.support.namespace import Namespace
from waypost_worker.errors import AddressNotFound, AddressWithdrawn, InvalidCode, NewerSession
from waypost_worker.ids import is_mcp_address, parse_code
from waypost_worker.kv.keys import address_key, withdrawn_key
from waypost_worker.limits import MAX_CACHED_ADDRESSES, MAX_PAGE_URL_LENGTH
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.mcp_address import AddressCache, McpAddresses, address_of
from waypost_worker.sessions.session import Session

SECRET = "s" * 43
ADDRESS = address_of(SECRET)
DAYS_MS = 24 * 3600 * 1000


class Setting(Namespace[SetClock]):
    """One namespace, with two isolates that remember for themselves."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.cache = AddressCache()
        self.here = self.isolate(self.cache)
        self.elsewhere = self.isolate(AddressCache())

    def isolate(self, cache: AddressCache, clock: SetClock | None = None) -> McpAddresses:
        clock = clock or self.clock
        return McpAddresses(self.kv, clock, cache, LocalChannel(clock))

    def session(self, code: str = CODE, url: str | None = None) -> Session:
        data = None if url is None else {"url": url}
        return Session(code, self.clock.ms // 1000 * 1000, self.clock.ms + 600_000, 600, data=data)

    async def taken(self, code: str = CODE, url: str | None = None) -> Session:
        session = self.session(code, url)
        await self.here.check(ADDRESS)
        await self.here.take(ADDRESS, session)
        self.kv.asked.clear()
        return session

    async def code_at(self, addresses: McpAddresses) -> str:
        return (await addresses.find(ADDRESS)).record.code


def test_an_address_is_a_digest_of_its_secret_in_letters_that_no_code_can_be():
    assert ADDRESS == "nnzeeb7xydqnaa1j2dzx12vmaw6wc1tm"
    assert is_mcp_address(ADDRESS)
    with pytest.raises(InvalidCode):
        parse_code(ADDRESS)
    assert len({address_of(f"{number:043}") for number in range(1000)}) == 1000


@pytest.mark.parametrize("text", ["", CODE, ADDRESS.upper(), ADDRESS[:-1], ADDRESS + "0", ADDRESS[:-1] + "u", "-" * 32])
def test_nothing_else_is_an_address(text: str):
    assert not is_mcp_address(text)


async def test_an_address_leads_to_the_session_that_took_it_also_elsewhere_with_one_operation():
    at = Setting()
    session = await at.taken(url="https://app.example/room")
    found = await at.elsewhere.find(ADDRESS)
    record = found.record
    assert (record.code, record.created_ms, record.url) == (CODE, session.created_ms, "https://app.example/room")
    assert at.operations() == ["get_many"]
    await at.elsewhere.find(ADDRESS)
    assert at.operations() == []


async def test_who_took_it_needs_no_operation_to_find_it():
    at = Setting()
    await at.taken()
    assert await at.code_at(at.here) == CODE
    assert at.operations() == []


async def test_what_was_read_is_used_for_half_a_minute():
    at = Setting()
    await at.taken()
    await at.code_at(at.elsewhere)
    at.clock.ms += 1000
    await at.taken(OTHER_CODE)
    at.clock.ms += 28_999
    assert await at.code_at(at.elsewhere) == CODE
    at.clock.ms += 1
    assert await at.code_at(at.elsewhere) == OTHER_CODE


async def test_a_caller_may_ask_for_what_was_read_since():
    at = Setting()
    await at.taken()
    await at.code_at(at.elsewhere)
    at.clock.ms += 1
    assert (await at.elsewhere.find(ADDRESS, since_ms=at.clock.ms)).read_ms == at.clock.ms


async def test_a_session_that_is_over_is_remembered_for_ten_seconds():
    at = Setting()
    await at.taken()
    at.here.note_over(ADDRESS, await at.here.find(ADDRESS))
    at.clock.ms += 9_999
    assert (await at.here.find(ADDRESS)).is_over
    assert at.operations() == []
    at.clock.ms += 1
    assert not (await at.here.find(ADDRESS)).is_over
    assert at.operations() == ["get_many"]


async def test_that_it_is_over_is_not_noted_for_a_session_that_took_the_address_meanwhile():
    at = Setting()
    await at.taken()
    before = await at.here.find(ADDRESS)
    await at.taken(OTHER_CODE)
    at.here.note_over(ADDRESS, before)
    assert not (await at.here.find(ADDRESS)).is_over
    at.elsewhere.note_over(ADDRESS, before)
    assert not (await at.elsewhere.find(ADDRESS)).is_over


async def test_an_address_that_nobody_has_is_looked_up_once_in_ten_seconds():
    at = Setting()
    for _ in range(3):
        with pytest.raises(AddressNotFound):
            await at.here.find(ADDRESS)
    assert at.operations() == ["get_many", "list"]
    at.clock.ms += 10_000
    with pytest.raises(AddressNotFound):
        await at.here.find(ADDRESS)
    assert at.operations() == ["get_many", "list"]


async def test_an_address_that_was_looked_up_in_vain_is_found_here_as_soon_as_it_is_taken():
    at = Setting()
    with pytest.raises(AddressNotFound):
        await at.here.find(ADDRESS)
    await at.taken()
    assert await at.code_at(at.here) == CODE


async def test_an_address_whose_miss_is_cached_is_found_by_its_listing():
    at = Setting()
    url = "https://app.example/" + "x" * (MAX_PAGE_URL_LENGTH - 20)
    await at.taken(url=url)

    async def forgets(keys: object) -> dict[str, str]:
        return {}

    at.kv.get_many = forgets  # type: ignore[method-assign,assignment]
    found = await at.elsewhere.find(ADDRESS)
    # Its URL does not fit into the metadata.
    assert (found.record.code, found.record.url) == (CODE, None)


async def test_guesses_push_no_address_out():
    at = Setting()
    await at.taken()
    for number in range(MAX_CACHED_ADDRESSES + 1):
        with pytest.raises(AddressNotFound):
            await at.here.find(address_of(f"{number:043}"))
    at.kv.asked.clear()
    assert await at.code_at(at.here) == CODE
    assert at.operations() == []


async def test_an_address_lives_for_thirty_days_after_a_session_took_it():
    at = Setting()
    session = await at.taken()
    assert await at.here.take(ADDRESS, session) == START_MS + 30 * DAYS_MS
    at.clock.ms += 30 * DAYS_MS - 1
    assert await at.code_at(at.elsewhere) == CODE
    at.clock.ms += 1
    with pytest.raises(AddressNotFound):
        await at.isolate(AddressCache()).find(ADDRESS)


async def test_the_key_is_not_read_before_it_exists_so_that_no_miss_is_cached():
    at = Setting()
    await at.here.check(ADDRESS)
    await at.here.take(ADDRESS, at.session())
    assert at.operations() == ["list", "put"]


async def test_a_late_write_of_an_older_session_is_refused_and_a_claim_is_not():
    at = Setting()
    older = at.session()
    at.clock.ms += 1000
    await at.taken(OTHER_CODE)
    for addresses in (at.here, at.elsewhere):
        with pytest.raises(NewerSession):
            await addresses.check(ADDRESS, older)
    await at.here.check(ADDRESS)
    await at.here.take(ADDRESS, older)
    assert await at.code_at(at.here) == CODE


async def test_a_session_may_take_its_address_again_and_so_may_one_of_the_same_second():
    at = Setting()
    session = await at.taken()
    at.clock.ms += 5000
    await at.here.take(ADDRESS, session)
    await at.elsewhere.check(ADDRESS, session)
    at.clock.ms += 1
    await at.elsewhere.check(ADDRESS, at.session(OTHER_CODE))


async def test_what_this_isolate_knows_is_never_replaced_by_what_was_before():
    at = Setting()
    await at.taken()
    before = at.store._entries[address_key(ADDRESS)]
    at.clock.ms += 5000
    await at.taken(OTHER_CODE)
    at.store._entries[address_key(ADDRESS)] = before
    at.clock.ms += 31_000
    assert await at.code_at(at.here) == OTHER_CODE
    assert at.operations() == ["get_many"]


async def test_what_is_taken_comes_after_what_it_replaces_though_another_clock_is_ahead():
    at = Setting()
    ahead = SetClock(at.clock.ms + 2000)
    await at.isolate(AddressCache(), ahead).take(ADDRESS, at.session(OTHER_CODE))
    await at.taken()
    assert await at.code_at(at.here) == CODE


async def test_a_withdrawn_address_leads_nowhere_and_is_never_taken_again():
    at = Setting()
    await at.taken()
    await at.code_at(at.elsewhere)
    await at.here.withdraw(ADDRESS)
    with pytest.raises(AddressWithdrawn):
        await at.here.find(ADDRESS)
    assert await at.code_at(at.elsewhere) == CODE
    at.clock.ms += 30_000
    for addresses in (at.elsewhere, at.isolate(AddressCache())):
        with pytest.raises(AddressWithdrawn):
            await addresses.find(ADDRESS)
        with pytest.raises(AddressWithdrawn):
            await addresses.check(ADDRESS)


async def test_a_session_that_did_not_see_the_withdrawal_does_not_undo_it():
    at = Setting()
    await at.here.withdraw(ADDRESS)
    await at.elsewhere.take(ADDRESS, at.session())
    assert await at.keys() == [address_key(ADDRESS), withdrawn_key(ADDRESS)]
    for addresses in (at.here, at.isolate(AddressCache())):
        with pytest.raises(AddressWithdrawn):
            await addresses.find(ADDRESS)


async def test_here_a_withdrawal_holds_though_the_store_does_not_show_it_yet():
    at = Setting()
    await at.taken()
    await at.here.withdraw(ADDRESS)
    await at.store.delete(withdrawn_key(ADDRESS))
    at.clock.ms += 60_000
    with pytest.raises(AddressWithdrawn):
        await at.here.find(ADDRESS)


async def test_an_address_that_was_never_taken_can_be_withdrawn():
    at = Setting()
    await at.here.withdraw(ADDRESS)
    with pytest.raises(AddressWithdrawn):
        await at.elsewhere.find(ADDRESS)


async def test_a_withdrawal_is_remembered_for_a_year():
    at = Setting()
    await at.here.withdraw(ADDRESS)
    at.clock.ms += 365 * DAYS_MS - 1
    with pytest.raises(AddressWithdrawn):
        await at.here.check(ADDRESS)
