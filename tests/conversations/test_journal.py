"""Merging entries gives the same everywhere, in whatever order they arrive and whatever was compacted before."""

from collections.abc import Sequence
from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.builders import cursor_at
from tests.support.conversations import answer, ids, item
from waypost_worker.conversations import compaction
from waypost_worker.conversations.journal import (
    Change,
    Entry,
    Snapshot,
    droppers_of,
    items_of,
    keep,
    merge,
    origin_of,
    without_gone,
)
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.conversations.window import Window
from waypost_worker.kv.cursor import cursor_ms

CURSORS = [cursor_at(second, "conv:c1") for second in range(8)]
MANY = 100

changes = st.builds(
    Change,
    st.lists(
        st.builds(
            lambda id, content, state, place: ChatMessage(
                id, "assistant", content, 0, partial=state > 0, is_open=state > 1, place=place
            ),
            st.sampled_from("abc"),
            st.integers(0, 99),
            st.integers(0, 2),
            st.sampled_from(["", "", *CURSORS[:6]]),
        ),
        max_size=2,
    ),
    st.lists(st.sampled_from("abc"), max_size=2) | st.just(()),
    st.sampled_from([False, False, False, False, True]),
    st.sampled_from([None, None, ForkOrigin("t"), ForkOrigin("u", "m")]),
)


def written_at(cursor: str, change: Change) -> Entry:
    """Nothing is written before the place is made where it stands."""
    items = [replace(item, place=min(item.place, cursor)) for item in change.items]
    return Entry(cursor, replace(change, items=items))


stories = st.lists(changes, min_size=1, max_size=6).map(lambda drawn: list(map(written_at, CURSORS, drawn)))
"""Entries of one conversation, oldest first."""


def entry(second: int, *items: ChatMessage, **fields: object) -> Entry:
    return Entry(CURSORS[second], Change(list(items), **fields))


def compacted(entries: Sequence[Entry], limit: int = MANY) -> list[Entry]:
    """What a snapshot holds in which everything is recent."""
    return keep(entries, Window(limit), 0)


def outcome(entries: Sequence[Entry]) -> tuple[list[ChatMessage], ForkOrigin | None]:
    return items_of(entries), origin_of(entries)


def subsets(entries: Sequence[Entry]) -> list[list[Entry]]:
    return [list(some) for size in range(len(entries) + 1) for some in combinations(entries, size)]


@settings(max_examples=200)
@given(stories, st.randoms())
def test_the_order_in_which_entries_arrive_does_not_matter(story: list[Entry], random):
    shuffled = random.sample(story, len(story))
    middle = random.randint(0, len(story))
    assert outcome(merge(shuffled[:middle], shuffled[middle:])) == outcome(story)


@given(stories)
def test_an_entry_that_arrives_twice_counts_once(story: list[Entry]):
    assert merge(story, story, story[::-1]) == story


@settings(max_examples=200)
@given(stories)
def test_what_is_compacted_before_comes_to_the_same(story: list[Entry]):
    """The journal has lost its first entries, which every compaction had; other compacted entries are still in it."""
    for gone in range(len(story) + 1):
        for seen in subsets(story[gone:]):
            snapshot = compacted([*story[:gone], *seen])
            assert outcome(merge(snapshot, story[gone:])) == outcome(story)


@settings(max_examples=200)
@given(stories)
def test_compacting_what_was_compacted_comes_to_the_same(story: list[Entry]):
    for first, second in combinations(range(len(story) + 1), 2):
        snapshot = compacted(merge(compacted(story[:first]), story[:second]))
        assert outcome(merge(snapshot, story[second:])) == outcome(story)
        assert compacted(merge(snapshot, story)) == compacted(story)


@given(st.integers(1, 4))
def test_a_compaction_holds_the_last_items_and_no_others(limit: int):
    story = [entry(second, item(f"{second}a"), item(f"{second}b")) for second in range(8)]
    for middle in range(9):
        entries = merge(compacted(story[:middle], limit), story[middle:])
        assert items_of(entries)[-limit:] == items_of(story)[-limit:]
        assert items_of(compacted(story[:middle], limit)) == items_of(story[:middle])[-limit:]


STATES = {"open": (True, True), "partial": (True, False), "whole": (False, False)}


def copy(state: str, content: str) -> ChatMessage:
    partial, is_open = STATES[state]
    return answer("a", content, partial=partial, is_open=is_open, place=CURSORS[0])


@pytest.mark.parametrize(("better", "worse"), [("whole", "partial"), ("whole", "open"), ("partial", "open")])
def test_of_two_copies_that_which_is_nearer_to_the_end_counts(better: str, worse: str):
    for first, second in permutations((copy(better, "better"), copy(worse, "worse"))):
        assert items_of([entry(0, first), entry(1, second)]) == [copy(better, "better")]


def test_the_first_whole_copy_counts():
    assert items_of([entry(0, copy("whole", "1")), entry(1, copy("whole", "2"))]) == [copy("whole", "1")]


@pytest.mark.parametrize("state", ["open", "partial"])
def test_of_copies_that_are_not_whole_the_last_counts(state: str):
    assert items_of([entry(0, copy(state, "1")), entry(1, copy(state, "2"))]) == [copy(state, "2")]


def test_which_copy_counts_does_not_depend_on_what_was_compacted():
    for states in product(STATES, repeat=4):
        story = [entry(number, copy(state, f"{number}")) for number, state in enumerate(states)]
        for middle in range(5):
            assert items_of(merge(compacted(story[:middle]), story[middle:])) == items_of(story)


def test_an_item_stands_where_its_entry_does_unless_it_has_a_place_of_its_own():
    late = answer("late", "", place=CURSORS[1])
    assert ids(items_of([entry(0, item("a")), entry(1, item("b")), entry(2, item("c")), entry(3, late)])) == [
        "a",
        "b",
        "late",
        "c",
    ]


def test_the_items_of_an_entry_stand_in_their_order_also_when_it_is_compacted():
    names = ["c", "a", "d", "b"]
    story = [entry(0, *map(item, names)), entry(1, item("e"))]
    assert ids(items_of(story)) == [*names, "e"]
    assert ids(items_of(compacted(story, 3))) == ["d", "b", "e"]


@pytest.mark.parametrize("change", [{"drops": ["a"]}, {"clears": True}])
def test_what_is_taken_away_is_gone_also_when_it_shows_up_late(change: dict):
    said, removal = entry(0, item("a")), entry(1, **change)
    assert items_of([said, removal]) == []
    assert items_of(merge(compacted([removal]), [said])) == []
    assert items_of(merge(compacted(compacted([removal])), [said])) == []


@pytest.mark.parametrize("change", [{"drops": ["a"]}, {"clears": True}])
def test_a_copy_that_is_written_later_is_gone_if_its_place_is_before(change: dict):
    removal, late = entry(1, **change), entry(2, answer("a", "late", place=CURSORS[0]))
    assert items_of([removal, late]) == []
    assert items_of(merge(compacted([removal]), [late])) == []


@pytest.mark.parametrize("change", [{"drops": ["a"]}, {"clears": True}])
def test_what_stands_after_or_in_the_entry_that_takes_away_stays(change: dict):
    again = [item("a", "again"), answer("b", "", place=CURSORS[1])]
    assert items_of([entry(0, item("a")), entry(1, *again, **change)]) == again
    assert items_of([entry(0, item("a")), entry(1, **change), entry(2, *again)]) == again[::-1]


@pytest.mark.parametrize("change", [{"drops": ["a"]}, {"clears": True}])
def test_what_an_entry_adds_stays_also_if_its_place_was_made_before(change: dict):
    again = answer("a", "again", place=CURSORS[1])
    story = [entry(0, item("a")), entry(2, again, **change)]
    assert items_of(story) == items_of(compacted(story)) == [again]
    assert items_of([*story, entry(3, **change)]) == []


RETRACTED = entry(2, item("q", "refused", place=CURSORS[1]), answer("a1", "", place=CURSORS[1]), drops=["q", "a0"])
RETRACTION = entry(
    5,
    item("q", "old", place=CURSORS[2]),
    answer("a0", "old", place=CURSORS[2]),
    drops=["a1"],
    retracts=[CURSORS[2]],
    places={"q": CURSORS[0], "a0": CURSORS[0]},
)
OLD = entry(0, item("q", "old"), answer("a0", "old"))
BETWEEN = entry(3, item("b"))


def every_way(story: Sequence[Entry]) -> set[str]:
    """What it comes to, in short, whatever was compacted before, once or twice, and is in the journal still or not."""
    ways = set()
    for first, second in product(subsets(story), repeat=2):
        snapshot = compacted(merge(compacted(first), second))
        gone = {one.cursor for one in [*first, *second]}
        for rest in (story, [one for one in story if one.cursor not in gone]):
            ways.add(" ".join(f"{one.id}:{one.content}" for one in items_of(merge(snapshot, rest))))
    return ways


def test_what_is_retracted_counts_as_never_written_also_where_it_was_compacted():
    assert every_way([OLD, RETRACTED, BETWEEN, RETRACTION]) == {"q:old a0:old b:text"}
    assert every_way([OLD, BETWEEN, RETRACTION]) == {"q:old a0:old b:text"}, "it never took effect"


ASKED_AGAIN = entry(1, item("q", "old", place=CURSORS[0]), answer("a0", "old", place=CURSORS[0]), drops=["q"])
PUT_BACK = entry(
    5,
    *RETRACTION.change.items,
    drops=["a1"],
    retracts=[CURSORS[2]],
    places=RETRACTION.change.places,
    despite={"q": CURSORS[1]},
)


def test_a_question_that_was_asked_again_is_put_back_though_asking_it_again_dropped_it():
    first = entry(0, item("q", "first"))
    assert every_way([first, ASKED_AGAIN, RETRACTED, PUT_BACK]) == {"q:old a0:old"}
    assert every_way([first, ASKED_AGAIN, RETRACTED, PUT_BACK, entry(6, drops=["q"])]) == {"a0:old"}


def test_the_droppers_of_messages_are_those_that_added_them_also_after_they_were_put_back():
    assert droppers_of([entry(0, item("q", "first")), ASKED_AGAIN]) == {"q": CURSORS[1]}
    assert droppers_of([ASKED_AGAIN, RETRACTED, PUT_BACK]) == {"q": CURSORS[1]}
    assert droppers_of([OLD, BETWEEN]) == {}


def test_a_retraction_leaves_what_another_entry_adds_under_the_same_id():
    fresh = entry(4, item("q", "anew", place=CURSORS[3]), answer("a2", "", place=CURSORS[3]), drops=["q", "a0"])
    assert every_way([OLD, RETRACTED, fresh, RETRACTION]) == {"q:anew a2:"}
    assert every_way([OLD, fresh, RETRACTION]) == {"q:anew a2:"}


def test_a_version_that_knows_no_retractions_finds_what_they_put_back():
    known = entry(5, *RETRACTION.change.items, drops=RETRACTION.change.drops)
    assert ids(items_of([OLD, RETRACTED, BETWEEN, known])) == ["q", "a0", "b"]
    assert ids(items_of([BETWEEN, RETRACTED, known])) == ["q", "a0", "b"], "compacted there"


def test_a_retraction_is_kept_for_as_long_as_what_it_retracts_may_appear():
    story = [entry(0, item("a")), entry(1, drops=["x"], retracts=[CURSORS[0]]), entry(2, item("b"))]
    assert [one.cursor for one in keep(story, Window(9), cursor_ms(CURSORS[1]))] == CURSORS[1:3]
    assert [one.cursor for one in keep(story, Window(9), cursor_ms(CURSORS[2]))] == CURSORS[2:3]


def test_an_answer_is_cut_off_with_its_question_whose_entry_leaves_the_journal_first():
    asked = entry(0, item("q", place=CURSORS[0]), answer("a", "", partial=True, is_open=True, place=CURSORS[0]))
    story = [asked, entry(1, answer("a", "So.", place=CURSORS[0])), entry(2, item("b")), entry(3, item("c"))]
    snapshot = compaction.compacted(Snapshot(), story, Window(2), 3600, cursor_ms(CURSORS[3]))
    left = [without_gone(one, snapshot.gone) for one in [*story[1:], entry(4, drops=["b", "c"])]]
    assert items_of(merge(snapshot.entries, left)) == []


def test_a_drop_takes_away_only_what_it_names():
    assert ids(items_of([entry(0, item("a"), item("b")), entry(1, drops=["a"])])) == ["b"]


def test_of_several_drops_the_last_counts():
    story = [entry(0, item("a")), entry(1, drops=["a"]), entry(2, item("a")), entry(3, drops=["a"])]
    assert items_of(story) == []
    assert ids(items_of([*story, entry(4, item("a"))])) == ["a"]


def test_an_origin_is_kept_until_all_is_cleared():
    forked = entry(0, item("a"), clears=True, origin=ForkOrigin("t"))
    later = [entry(second, item(f"{second}")) for second in range(1, 8)]
    assert origin_of(compacted([forked, *later], 2)) == ForkOrigin("t")
    assert origin_of([forked, entry(1, clears=True)]) is None
    assert origin_of(compacted([forked, entry(1, clears=True)])) is None
    assert origin_of([forked, entry(1, clears=True, origin=ForkOrigin("u"))]) == ForkOrigin("u")
    assert origin_of([forked, entry(1, origin=ForkOrigin("u"))]) == ForkOrigin("u")


def test_a_compaction_holds_no_more_of_the_past_than_has_something_to_say():
    story = [
        entry(0, drops=["x"], origin=ForkOrigin("t")),
        entry(1, clears=True),
        entry(2, clears=True),
        entry(3, item("cut off"), drops=[]),
        entry(4, item("a")),
        entry(5, drops=["y"]),
        entry(6, item("b")),
    ]
    assert [one.cursor for one in compacted(story, 2)] == [CURSORS[2], *CURSORS[4:7]]


def test_what_takes_away_is_kept_for_as_long_as_it_is_wanted():
    story = [entry(0, clears=True), entry(1, drops=["x"]), entry(2, item("a"))]
    for since, kept in enumerate([[0, 1, 2], [1, 2], [2], [2]]):
        left = keep(story, Window(9), cursor_ms(CURSORS[since]))
        assert [one.cursor for one in left] == [CURSORS[number] for number in kept]


def test_how_new_the_newest_entry_is_outlives_what_it_brought():
    assert [one.cursor for one in compacted([entry(0, item("a")), entry(1, item("a"))])] == CURSORS[:2]
    assert [one.cursor for one in keep([entry(0, item("a")), entry(1, drops=["x"])], Window(9), 1 << 50)] == CURSORS[:2]
