"""The snippets of /docs/, pasted one after the other in the order of the page, get the replies that the page shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import ROOT

PRINT = ROOT / "tests" / "support" / "docs_snippets.mjs"
NODE = ROOT / "node_modules" / ".bin" / "node"
Snippet = dict[str, str | int]


def snippets_of(language: str, origin: str) -> list[Snippet]:
    """Everything that the page shows in this language."""
    done = subprocess.run([NODE, PRINT, language, origin], capture_output=True, text=True, timeout=120, check=True)
    found: list[Snippet] = json.loads(done.stdout)
    return found


CURL = """curl() {
  status=$(cat current)
  case "$*" in
    *--max-time*) command curl -D "$status" "$@" & until [ -s "$status" ]; do sleep 0.1; done; kill $!; wait $! ;;
    *) command curl -D "$status" "$@" ;;
  esac
}
"""
"""Writes the status of each request into a file of its number; leaves a stream that does not end once it has that."""


def shell(texts: list[str], folder: Path) -> list[str]:
    numbered = [f"echo {number} > current\n{text}\n" for number, text in enumerate(texts)]
    script = folder / "all.sh"
    script.write_text(CURL + "".join(numbered).replace("--max-time 5", "--max-time 300"))
    return ["sh", str(script)]


def node(texts: list[str], folder: Path) -> list[str]:
    script = folder / "all.mjs"
    noted = [f'{text}\nfs.writeFileSync("{number}", `x ${{reply.status}}`);\n' for number, text in enumerate(texts)]
    script.write_text('import fs from "node:fs";\n' + "".join(noted))
    return [str(NODE), str(script)]


def python(texts: list[str], folder: Path) -> list[str]:
    script = folder / "all.py"
    noted = [f'{text}\nopen("{number}", "w").write(f"x {{reply.status_code}}")\n' for number, text in enumerate(texts)]
    script.write_text("".join(noted))
    return [sys.executable, str(script)]


@pytest.mark.parametrize(("language", "program"), [("curl", shell), ("fetch", node), ("python", python)])
def test_every_snippet_works_when_it_is_pasted_behind_those_above_it(
    language: str, program: Callable[[list[str], Path], list[str]], worker: LocalWorker, tmp_path: Path
) -> None:
    shown = snippets_of(language, worker.url)
    assert len(shown) > 70
    command = program([str(snippet["text"]) for snippet in shown], tmp_path)
    # No proxy stands before this machine's own address.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    statuses = [
        int((tmp_path / str(number)).read_text().split()[1]) if (tmp_path / str(number)).exists() else 0
        for number in range(len(shown))
    ]
    wrong = [
        (snippet["operation"], snippet["title"], snippet["status"], status)
        for snippet, status in zip(shown, statuses, strict=True)
        if status != snippet["status"]
    ]
    assert wrong == [], done.stdout[-2000:] + done.stderr[-2000:]
