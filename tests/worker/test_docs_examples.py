"""The shell examples of the README and of docs/, pasted as they stand, print what the pages say."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.docs import PAGES, ROOT, examples, is_printed
from tools.local.harness.worker import LocalWorker

EXAMPLES = [
    pytest.param(script, printed, id=f"{path.relative_to(ROOT)}: {name}")
    for path in PAGES
    for name, (script, printed) in examples(path.read_text()).items()
]


def test_every_marked_example_is_found() -> None:
    marks = [mark for path in PAGES for mark in re.findall(r"(?m)^<!-- example: .+ -->$", path.read_text())]
    assert len(EXAMPLES) == len(marks) >= 4


@pytest.mark.parametrize(("script", "printed"), EXAMPLES)
def test_an_example_prints_what_its_page_says(script: str, printed: str, worker: LocalWorker) -> None:
    script = script.replace("http://localhost:8787", worker.url)
    output = subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True, timeout=120, check=True).stdout
    assert is_printed(printed, output), output
