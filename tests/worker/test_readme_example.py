"""The README's example, pasted as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.support.worker import LocalWorker

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_call_by_hand_works_when_it_is_pasted(worker: LocalWorker) -> None:
    found = re.search(r"<!-- example: a call by hand -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found
    script = found[1].replace("http://localhost:8787", worker.url)
    pasted = subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True, timeout=60, check=True)
    decode = json.JSONDecoder().raw_decode
    replies, rest = [], pasted.stdout
    while rest:
        reply, end = decode(rest)
        replies.append(reply)
        rest = rest[end:]
    queued, polled, answered, answer = replies
    assert queued["id"] == "call-1"
    assert [message["data"]["tool"] for message in polled["messages"]] == ["greet"]
    assert answered["id"] == "call-1"
    assert answer["result"] == "Hello Ada"
