"""Images of a conversation: stored once, beside their messages, for as long as these are kept."""

import msgspec
import pytest

from tests.support.conversations import TTL, HidingKv, Setting, answer, item, said
from tests.support.images import image_part, image_url
from waypost_worker.conversations.images import (
    IMAGE_FIRST_SECONDS,
    LIFETIMES,
    MISSING,
    OLDER,
    apart,
    identified,
    image_bytes,
    newest_images,
    reference_in,
    references,
)
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolCall
from waypost_worker.errors import StorageUnavailable
from waypost_worker.limits import MAX_ANSWER_SECONDS, MAX_IMAGE_BYTES, MIN_APART_BYTES

LARGE = MIN_APART_BYTES
HALF = MAX_IMAGE_BYTES // 2
NAMES = (f"00000000-0000-7000-8000-{number:012}" for number in range(1000))


def picture(id: str, *sizes: int, letter: str = "A") -> ChatMessage:
    """A message with images."""
    return item(id, [{"type": "text", "text": id}, *(image_part(size, letter) for size in sizes)])


def referring(*items: ChatMessage) -> list[ChatMessage]:
    """`items` with references."""
    return apart(items, lambda: next(NAMES))[0]


def notes(items: list[ChatMessage]) -> list[str]:
    """The texts of all parts but the first."""
    return [part.get("text", "an image") for one in items for part in one.content[1:]]


async def test_a_message_is_read_with_its_images_and_no_other_key_has_them():
    at = Setting()
    whole = picture("a", LARGE, LARGE + 1, letter="B")
    await at.here.append([whole, item("b")])
    assert await at.here.shown(await at.elsewhere.read()) == [whole, item("b")]
    [key] = await at.keys("img:")
    values = {name: await at.store.get(name) or "" for name in await at.keys()}
    assert {name for name, value in values.items() if image_url(1000, "B") in value} == {key}


async def test_the_images_are_there_before_their_message():
    at = Setting()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("img:")
    with pytest.raises(StorageUnavailable):
        await at.here.append([picture("a", LARGE)])
    assert await at.keys() == []


async def test_reading_a_history_reads_no_image():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    at.operations()
    await at.here.history()
    assert at.operations() == ["list", "get_many"]
    assert await at.here.shown(await at.here.read()) == [picture("a", LARGE)]
    at.operations()
    await at.here.shown([item("text")])
    assert at.operations() == []


def test_a_small_image_stays_in_its_message_and_so_does_what_is_no_image():
    others = [
        picture("a", LARGE - 1),
        item("b", [{"type": "image_url", "image_url": {"url": "https://example.org/".ljust(LARGE, "a")}}]),
        item("c", [{"type": "image_url", "image_url": image_url(LARGE)}]),
        item("d", [{"type": "image_url", "image_url": {"url": 7}}, "text", 7]),
        item("e", [{"type": "image_url"}, {"type": "text", "text": image_url(LARGE)}]),
        item("f", {"type": "image_url", "image_url": {"url": image_url(LARGE)}}),
        item("g", image_url(LARGE)),
    ]
    assert apart(others, lambda: "") == (others, {})
    assert list(references(others)) == []
    assert image_bytes(others) == 0
    assert newest_images(others, 0) == others
    assert [identified(one.content) for one in others] == [one.content for one in others]


def test_a_reference_has_the_size_the_digest_and_the_type_of_its_image_and_no_other_url_is_one():
    [one] = referring(picture("a", LARGE))
    [reference] = references([one])
    assert (reference.number, reference.size, reference.media_type) == (0, LARGE, "image/png")
    url = one.content[1]["image_url"]["url"]
    assert reference_in(url) == reference
    for other in (
        url + "/",
        url[1:],
        image_url(LARGE),
        url.replace("/0/", "/x/"),
        url.replace("image/png", "text/html"),
    ):
        assert reference_in(other) is None


def test_what_is_said_of_an_image_beside_its_url_stays():
    part = image_part(LARGE)
    part["image_url"]["detail"] = "low"
    [one] = referring(item("a", [part]))
    assert one.content[0]["image_url"]["detail"] == "low"


def test_content_with_images_is_identified_as_the_same_with_references():
    whole = picture("a", LARGE, 100)
    [one] = referring(whole)
    assert identified(one.content) == identified(whole.content)
    assert identified(whole.content) != identified(picture("a", LARGE, 100, letter="B").content)
    assert len(msgspec.json.encode(identified(whole.content))) < 500


def test_the_newest_images_are_kept_each_messages_together_and_a_note_stands_for_the_others():
    items = referring(picture("a", HALF), picture("b", HALF, LARGE), picture("c", HALF - LARGE), item("d"))
    assert notes(newest_images(items)[:3]) == [OLDER, "an image", "an image", "an image"]
    assert notes(newest_images(items, HALF)[:3]) == [OLDER, OLDER, OLDER, "an image"]
    # None that is older than one that was left out is kept, though it would fit.
    small = referring(picture("a", LARGE), picture("b", MAX_IMAGE_BYTES), picture("c", LARGE))
    assert notes(newest_images(small)) == [OLDER, OLDER, "an image"]


async def test_a_history_has_its_newest_images():
    at = Setting()
    for name in ("a", "b", "c"):
        await at.here.append([picture(name, HALF)])
    shown = await at.elsewhere.shown(await at.elsewhere.read())
    assert notes(shown) == [OLDER, "an image", "an image"]
    # Once the newest is gone, the oldest is shown again: it is stored still.
    await at.here.drop("c")
    assert notes(await at.here.shown(await at.here.read())) == ["an image", "an image"]


async def test_an_image_that_is_not_found_is_a_note():
    at = Setting()
    await at.here.append([picture("a", LARGE, LARGE)])
    [key] = await at.keys("img:")
    await at.store.put(key, msgspec.json.encode([image_url(LARGE - 1)]).decode(), ttl_seconds=60)
    assert notes(await at.here.shown(await at.here.read())) == [MISSING, MISSING]
    await at.store.delete(key)
    assert notes(await at.here.shown(await at.here.read())) == [MISSING, MISSING]


async def test_a_message_that_is_deleted_takes_its_images_along_and_no_others():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    await at.here.append([picture("b", LARGE)])
    await at.here.drop("a")
    assert await at.here.shown(await at.elsewhere.read()) == [picture("b", LARGE)]
    assert len(await at.keys("img:")) == 1


async def test_a_conversation_that_is_deleted_takes_all_images_along():
    at = Setting()
    for name in ("a", "b", "a"):
        await at.here.append([picture(name, LARGE)])
    await at.here.forget()
    assert await at.keys("img:") == []


async def test_a_deletion_keeps_the_images_of_messages_that_come_after_it():
    """One whose message is there when images are deleted, one whose message is still being written."""
    at = Setting()
    await at.here.append([picture("seen", LARGE)])
    images = {name: [image_url(LARGE)] for name in (at.elsewhere.new_cursor(), at.elsewhere.new_cursor())}
    await at.elsewhere.append([], images=images)
    at.clock.ms += 1000
    await at.elsewhere.append([picture("written", LARGE)])
    at.clock.ms -= 500
    await at.here.forget()
    assert await at.here.shown(await at.here.read()) == [picture("written", LARGE)]
    assert {key.rpartition(":")[2] for key in await at.keys("img:")} > set(images)


async def test_a_deletion_takes_along_images_that_no_message_ever_had():
    at = Setting()
    await at.elsewhere.append([], images={at.elsewhere.new_cursor(): [image_url(LARGE)]})
    at.clock.ms += IMAGE_FIRST_SECONDS * 1000
    await at.here.forget()
    assert await at.keys("img:") == []


async def test_a_deletion_for_good_that_leaves_something_is_refused_and_can_be_repeated():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    at.kv.fails = lambda operation, key: operation == "delete" and key.startswith("img:")
    with pytest.raises(StorageUnavailable):
        await at.here.forget(for_good=True)
    assert await at.keys("img:")
    at.kv.fails = lambda *_: False
    await at.here.forget(for_good=True)
    assert not await at.keys("img:")


async def test_a_deletion_for_good_keeps_no_image():
    at = Setting()
    await at.elsewhere.append([], images={at.elsewhere.new_cursor(): [image_url(LARGE)]})
    await at.here.forget(for_good=True)
    assert await at.keys("img:") == []


async def test_an_import_keeps_the_newest_images_and_returns_them():
    at = Setting()
    items = [picture("a", HALF), picture("b", HALF), picture("c", HALF), item("d")]
    history = await at.here.replace(items, ForkOrigin("elsewhere"))
    assert notes(history.items[:3]) == [OLDER, "an image", "an image"]
    assert history.items[1:] == items[1:]
    assert await at.elsewhere.shown(await at.elsewhere.read()) == history.items
    assert len(await at.keys("img:")) == 2


async def test_a_pop_that_is_repeated_has_its_images():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    for conversation in (at.here, at.here, at.elsewhere):
        taken = await conversation.pop("p")
        assert taken is not None
        assert await conversation.shown([taken]) == [picture("a", LARGE)]


@pytest.mark.parametrize("quiet", [0.4, 0.6, 0.95])
async def test_images_last_as_long_as_their_conversation(quiet: float):
    at = Setting(limit=40)
    whole = picture("a", LARGE)
    await at.here.append([whole])
    for number in range(20):
        at.clock.ms += int(TTL * 1000 * quiet)
        await said(at.here, f"{number}")
        assert (await at.here.shown(await at.here.read()))[0] == whole


async def test_images_are_written_again_once_in_a_quarter_of_a_lifetime_at_most():
    at = Setting(limit=1000)
    await at.here.append([picture("a", LARGE)])
    writes = 0
    for number in range(200):
        at.clock.ms += TTL * 1000 // 20
        at.kv.asked.clear()
        await said(at.here, f"{number}")
        writes += sum(1 for operation, key in at.kv.asked if (operation, key[:4]) == ("put", "img:"))
    assert 10 <= writes <= 40


async def test_an_image_that_is_left_out_expires():
    at = Setting(limit=40)
    await at.here.append([picture("a", HALF + 1)])
    await at.here.append([picture("b", HALF)])
    oldest, newest = await at.keys("img:")
    for number in range(2 * LIFETIMES + 1):
        at.clock.ms += TTL * 600
        await said(at.here, f"{number}")
    assert await at.keys("img:") == [newest]
    assert oldest < newest


async def test_images_that_were_written_when_conversations_lived_shorter_are_written_again():
    at = Setting(limit=40, ttl_seconds=60)
    await at.here.append([picture("a", LARGE)])
    longer = Setting(limit=40)
    longer.clock, longer.store, longer.kv = at.clock, at.store, at.kv
    here = longer.isolate(2, longer.checks)
    at.clock.ms += 50_000
    await said(here, "b")
    at.clock.ms += (LIFETIMES * 60 + MAX_ANSWER_SECONDS) * 1000
    assert (await here.shown(await here.read()))[0] == picture("a", LARGE)


async def test_images_that_can_not_be_written_again_keep_no_conversation_from_being_compacted():
    at = Setting(limit=40)
    await at.here.append([picture("a", LARGE)])
    at.clock.ms += TTL * 600
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("img:")
    await said(at.here, "b")
    assert await at.snapshot() is not None
    assert at.log == ["images of a conversation were not written again: storage_unavailable"]
    at.kv.fails = lambda operation, key: False
    at.clock.ms += TTL * 600
    await said(at.here, "c")
    at.clock.ms += TTL * 900
    assert (await at.here.shown(await at.here.read()))[0] == picture("a", LARGE)


async def test_a_message_that_is_put_back_has_its_images():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    [seen] = await at.here.read()
    await at.here.append([item("q")], drops=["a"])
    await at.here.append([seen], drops=["a", "q"])
    assert await at.here.shown(await at.here.read()) == [picture("a", LARGE)]


async def test_images_of_tools_results_are_apart_too():
    at = Setting()
    call = answer("c", "", tool_calls=[ToolCall("t")])
    result = item("r", [image_part(LARGE)], role="tool", tool_call_id="t")
    await at.here.append([call, result])
    assert await at.here.shown(await at.here.read()) == [call, result]
    assert len(await at.keys("img:")) == 1


async def test_a_location_that_does_not_see_the_image_yet_shows_a_note():
    at = Setting()
    await at.here.append([picture("a", LARGE)])
    behind = HidingKv(at.store, at.kv.fails)
    [behind.has_no_value] = await at.keys("img:")
    at.kv = behind
    assert notes(await at.isolate(3, at.checks).shown(await at.elsewhere.read())) == [MISSING]
