"""What an isolate wrote itself it knows, whatever a listing shows."""

from waypost_worker.conversations.thread import RecentWrites, Thread
from waypost_worker.limits import MAX_RECENT_THREADS, REORDER_WINDOW_SECONDS


def thread(updated_ms: int) -> Thread:
    return Thread("r", "t", "s", 0, updated_ms)


def remembering(written: Thread | None, now_ms: int = 1000) -> RecentWrites:
    recent: RecentWrites = RecentWrites()
    recent.record("key", written, now_ms)
    return recent


def test_what_was_written_is_known_before_a_listing_shows_it():
    assert remembering(thread(1000)).newest("key", None, 1001) == thread(1000)
    assert remembering(thread(1000)).newest("key", thread(900), 1001) == thread(1000)


def test_what_was_written_later_elsewhere_counts():
    assert remembering(thread(1000)).newest("key", thread(1001), 1002) == thread(1001)


def test_what_was_deleted_is_gone_although_a_listing_shows_it_still():
    assert remembering(None).newest("key", thread(1000), 1001) is None


def test_what_was_written_after_the_deletion_is_there():
    assert remembering(None).newest("key", thread(1001), 1002) == thread(1001)


def test_after_the_reorder_window_the_listing_counts():
    late = 1000 + REORDER_WINDOW_SECONDS * 1000
    assert remembering(thread(1000)).newest("key", None, late) == thread(1000)
    assert remembering(thread(1000)).newest("key", None, late + 1) is None


def test_other_threads_are_as_they_are_listed():
    assert remembering(thread(1000)).newest("other", thread(5), 1001) == thread(5)


def test_the_least_recently_written_are_forgotten_first():
    recent = remembering(thread(1))
    for number in range(MAX_RECENT_THREADS):
        recent.record(f"other {number}", thread(2), 1000)
    assert recent.newest("key", None, 1000) is None
    assert recent.newest("other 0", None, 1000) == thread(2)
