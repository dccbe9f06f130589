"""What fits into metadata, and listings of several pages."""

import json

import pytest

from waypost_worker.kv.store import ListedKey, ListPage, find_key, fits_metadata, list_all, wrap_metadata

ROOM = 1024 - len('{"m":""}')


def test_metadata_is_one_json_string():
    assert wrap_metadata('{"a":1.0}') == b'{"m":"{\\"a\\":1.0}"}'


@pytest.mark.parametrize(
    ("character", "size"),
    [("x", 1), ("\u00e9", 2), ("\u4e00", 3), ("\U0001f600", 4), ('"', 2), ("\\", 2), ("\x7f", 1), ("\n", 2), ("\0", 6)],
)
def test_metadata_is_counted_in_bytes_as_it_is_written(character: str, size: int):
    count, rest = divmod(ROOM, size)
    text = character * count + "x" * rest
    assert len(wrap_metadata(text)) == 1024
    assert fits_metadata(text)
    assert not fits_metadata(text + "x")


def test_what_was_wrapped_comes_back_to_the_byte():
    text = '{"n":123456789012345678901234567890,"f":1.0,"s":"\\u0000"}'
    assert json.loads(wrap_metadata(text))["m"] == text


class Paged:
    """A store whose listing has the pages it is given."""

    def __init__(self, *pages: ListPage) -> None:
        self.pages = list(pages)
        self.asked: list[str | None] = []

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        self.asked.append(cursor)
        return self.pages.pop(0)


async def names(kv: Paged) -> list[str]:
    return [key.name async for keys in list_all(kv, "p") for key in keys]


async def test_a_listing_goes_on_after_an_empty_page_until_there_is_no_cursor():
    kv = Paged(
        ListPage((ListedKey("p1"),), "c1"), ListPage((), "c2"), ListPage((ListedKey("p2"),), "c3"), ListPage((), None)
    )
    assert await names(kv) == ["p1", "p2"]
    assert kv.asked == [None, "c1", "c2", "c3"]


async def test_a_full_last_page_ends_a_listing():
    kv = Paged(ListPage((ListedKey("p1"),), None))
    assert await names(kv) == ["p1"]
    assert kv.asked == [None]


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ([ListPage((ListedKey("p", "m"),), None)], ListedKey("p", "m")),
        ([ListPage((ListedKey("p"),), "c1")], ListedKey("p")),
        ([ListPage((), "c1"), ListPage((), "c2"), ListPage((ListedKey("p"),), None)], ListedKey("p")),
        ([ListPage((ListedKey("p1"),), "c1")], None),
        ([ListPage((), "c1"), ListPage((), None)], None),
    ],
)
async def test_a_key_is_found_in_a_listing_and_none_that_only_begins_with_it(
    pages: list[ListPage], found: ListedKey | None
):
    assert await find_key(Paged(*pages), "p") == found
