"""Interleaved rounds, and what becomes of their samples."""

from __future__ import annotations

import io
from collections.abc import Callable

from bench.measure.figures import Goal
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, compared, interleave
from bench.measure.stats import Spread

QUIET = Progress({"section": 1}, io.StringIO())


def turns(order: list[str], *names: str) -> dict[str, Callable[[], Sample]]:
    def turn(name: str) -> Callable[[], Sample]:
        def run() -> Sample:
            order.append(name)
            return Sample(float(len(order)))

        return run

    return {name: turn(name) for name in names}


def test_every_subject_has_its_turn_in_every_round_and_the_order_is_turned_around() -> None:
    order: list[str] = []
    samples = interleave(turns(order, "a", "b", "c"), 3, 60, QUIET, warm_up=False)
    assert order == list("abccbaabc")
    assert {name: len(found) for name, found in samples.items()} == {"a": 3, "b": 3, "c": 3}


def test_warming_up_is_not_counted() -> None:
    order: list[str] = []
    samples = interleave(turns(order, "a"), 2, 60, QUIET)
    assert order == ["a", "a", "a"]
    assert [sample.value for sample in samples["a"]] == [2.0, 3.0]


def test_when_the_time_is_over_the_round_that_was_begun_is_the_last() -> None:
    order: list[str] = []
    interleave(turns(order, "a", "b"), 100, 0, QUIET, warm_up=False)
    assert order == ["a", "b"]


def test_a_figure_has_the_ratios_of_times_and_of_cpu() -> None:
    samples = {"ours": [Sample(50.0, 0.002)] * 3, "its": [Sample(100.0, 0.001)] * 3}
    figure = compared("s", "call", "requests/s", "higher", samples, "ours", "its", Goal("ratio", 0.7, "higher"))
    assert (figure.ratio, figure.cpu_ratio) == (Spread(0.5, 0.5, 0.5), Spread(2.0, 2.0, 2.0))
    assert figure.is_met is False


def test_where_the_cpu_is_not_known_it_has_no_ratio() -> None:
    samples = {"ours": [Sample(50.0, 0.002)], "its": [Sample(100.0)]}
    assert compared("s", "call", "ms", "lower", samples, "ours", "its", None).cpu_ratio is None
