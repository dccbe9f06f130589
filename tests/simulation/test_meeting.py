"""A tab and its agent meet again soon after their isolate was replaced, and docs/guarantees.md says how soon."""

import re

from simulation.latency import PAGE
from simulation.meeting import BEGIN, END, HEADER, SESSIONS, VARIANTS, measured, share_through_kv

FEW = 4


def test_the_page_has_a_row_for_each_variant_and_says_what_it_was_measured_on() -> None:
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    assert written.startswith(HEADER), "run `make latency`"
    rows = written[len(HEADER) :].splitlines()
    for line, variant in zip(rows, VARIANTS, strict=False):
        assert re.fullmatch(rf"\| {variant.title} \|( \d+% \|){{2}}( \d+\.\d s \|){{2}}", line)
    said = rf"Each row: about [\d,]+ calls in {SESSIONS} sessions of the simulation \(seeds 0 to {SESSIONS - 1}\)\."
    assert re.fullmatch(said, rows[len(VARIANTS) + 1])


def test_without_the_rule_most_calls_go_through_kv_and_with_it_the_first_one_does() -> None:
    stays, leaves = VARIANTS[0], VARIANTS[2]
    assert share_through_kv(measured(stays, FEW), 0) > 0.5
    calls = measured(leaves, FEW)
    assert 0 < share_through_kv(calls, 0) < 0.25
    assert share_through_kv(calls, 1) == 0
