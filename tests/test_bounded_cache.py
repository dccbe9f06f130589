"""The bounded cache: each bound by itself, at the limit and one over it."""

from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.bounded_cache import ENTRY_BYTES, BoundedCache

AGE_SECONDS = 60


def cache(max_items: int = 3, max_bytes: int = 100 * ENTRY_BYTES) -> BoundedCache[object]:
    return BoundedCache(max_items, max_bytes, AGE_SECONDS)


def test_a_value_is_found_until_it_is_too_old():
    kept = cache()
    kept.put("a", 1, 1000)
    assert kept.get("a", 1000 + AGE_SECONDS * 1000 - 1) == 1
    assert kept.get("a", 1000 + AGE_SECONDS * 1000) is None
    assert kept.get("b", 1000) is None


def test_over_the_number_of_items_the_oldest_put_is_dropped():
    kept = cache()
    for key in "abcab":
        kept.put(key, key, 0)
    assert (len(kept), "a" in kept) == (3, True)
    kept.put("d", "d", 0)
    assert (len(kept), "c" in kept, "a" in kept) == (3, False, True)


def test_over_the_number_of_bytes_the_oldest_put_is_dropped():
    kept = cache(max_bytes=2 * ENTRY_BYTES + 100)
    kept.put("a", 1, 0, 50)
    kept.put("b", 2, 0, 50)
    assert (len(kept), kept.bytes) == (2, 2 * ENTRY_BYTES + 100)
    kept.put("c", 3, 0, 1)
    assert ("a" in kept, "b" in kept, "c" in kept) == (False, True, True)


def test_a_value_over_the_bound_of_bytes_is_not_stored_and_drops_only_its_older_self():
    kept = cache(max_bytes=3 * ENTRY_BYTES)
    kept.put("a", 1, 0)
    kept.put("b", 2, 0)
    kept.put("b", 3, 0, 2 * ENTRY_BYTES + 1)
    assert ("a" in kept, "b" in kept, kept.bytes) == (True, False, ENTRY_BYTES)


def test_expired_entries_are_removed_when_another_is_put():
    kept = cache()
    kept.put("a", 1, 0)
    kept.put("b", 2, AGE_SECONDS * 1000 - 1)
    assert "a" in kept
    kept.put("c", 3, AGE_SECONDS * 1000)
    assert ("a" in kept, "b" in kept) == (False, True)


def test_a_removed_entry_costs_nothing():
    kept = cache()
    kept.put("a", 1, 0, 10)
    kept.pop("a")
    kept.pop("a")
    assert (len(kept), kept.bytes) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1000), st.integers(0, 90_000))))
def test_whatever_is_put_no_bound_is_exceeded_and_the_bytes_are_those_of_the_entries(
    puts: list[tuple[str, int, int]],
):
    kept = cache(max_bytes=4 * ENTRY_BYTES)
    sizes: dict[str, int] = {}
    for key, size, now_ms in puts:
        kept.put(key, key, now_ms, size)
        sizes[key] = size + ENTRY_BYTES
        assert len(kept) <= kept.max_items
        assert kept.bytes == sum(sizes[key] for key in "abcdef" if key in kept) <= kept.max_bytes
