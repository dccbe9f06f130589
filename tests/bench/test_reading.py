"""What other programs print, and how it is read."""

from __future__ import annotations

import io

import pytest

from bench.measure.processes import seconds_of
from bench.measure.progress import Progress
from bench.profile.engine import gathered
from bench.sections.costs import rows
from bench.sections.startup import gzipped
from bench.subjects.workerd import REFERENCE, Service, configuration, javascript_reference
from simulation.cost import PAGE


@pytest.mark.parametrize(
    ("clock", "seconds"), [("0:01.50", 1.5), ("01:02:03", 3723), ("2-00:00:01", 172801), ("00:00:00", 0)]
)
def test_the_cpu_time_that_ps_tells(clock: str, seconds: float) -> None:
    assert seconds_of(clock) == seconds


def test_the_size_that_wrangler_tells() -> None:
    assert gzipped("...\nTotal Upload: 812.34 KiB / gzip: 271.22 KiB\n") == 271.22
    with pytest.raises(ValueError, match="no size"):
        gzipped("an error")


def test_the_cost_table_becomes_rows() -> None:
    markdown = PAGE.read_text().partition("<!-- cost: begin -->\n")[2].partition("<!-- cost: end -->")[0]
    found = rows(markdown)
    assert found[0]["what"] == "a session opened"
    columns = {"what", "reads", "writes", "deletes", "lists", "round trips a caller waits for", "cost"}
    assert all(set(row) == columns for row in found)


def test_samples_of_the_engine_are_gathered_by_who_takes_the_time() -> None:
    def node(id: int, name: str, url: str = "") -> dict[str, object]:
        return {"id": id, "callFrame": {"functionName": name, "url": url}}

    nodes = [node(1, "(idle)"), node(2, "wasm-function[7]", "wasm://x"), node(3, "read"), node(4, "(program)")]
    shares, functions = gathered({"nodes": nodes, "samples": [1, 1, 2, 2, 3, 4]})
    assert shares["Python (WebAssembly)"] == 0.5
    assert shares["functions of the runtime called from scripts"] == 0.25
    assert sum(functions.values()) == 1


def test_the_bar_moves_with_sections_and_with_steps_inside_of_one() -> None:
    output = io.StringIO()
    progress = Progress({"first": 1, "second": 3}, output)
    progress.begin("first")
    assert progress.fraction() == 0
    progress.begin("second")
    progress.expect(2)
    progress.step("one")
    assert progress.fraction() == pytest.approx(0.625)
    progress.end()
    assert progress.fraction() == 1
    # Not a terminal: a line for each section, none for a step.
    assert len(output.getvalue().splitlines()) == 3


def test_every_worker_has_a_port_of_its_own_and_limits_only_where_they_are_bound() -> None:
    script = javascript_reference("bare_javascript")
    other = Service("ours", {"entry.py": REFERENCE / "bare_python" / "entry.py"}, {"KEY": 'a"b'}, ("ADDRESS_LIMIT",))
    text = configuration([script, other], {"bare_javascript": 1111, "ours": 2222})
    assert 'name = "bare_javascript", address = "127.0.0.1:1111"' in text
    assert '(name = "KEY", text = "a\\"b")' in text
    assert text.count('wrapped = (moduleName = "bench:limit")') == 1
    assert text.count('"python_workers"') == 1
