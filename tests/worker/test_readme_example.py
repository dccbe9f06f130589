"""The README's example, pasted as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tools.local.harness.worker import LocalWorker

README = (Path(__file__).parents[2] / "README.md").read_text()


def pasted(name: str, worker: LocalWorker) -> str:
    """What the README's example of this name prints."""
    found = re.search(rf"<!-- example: {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found
    script = found[1].replace("http://localhost:8787", worker.url)
    return subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_call_by_hand_works_when_it_is_pasted(worker: LocalWorker) -> None:
    decode = json.JSONDecoder().raw_decode
    replies, rest = [], pasted("a call by hand", worker)
    while rest:
        reply, end = decode(rest)
        replies.append(reply)
        rest = rest[end:]
    queued, polled, answered, answer = replies
    assert queued["id"] == "call-1"
    assert [message["data"]["tool"] for message in polled["messages"]] == ["greet"]
    assert answered["id"] == "call-1"
    assert answer["result"] == "Hello Ada"


def test_the_chat_by_hand_remembers_and_is_listed(worker: LocalWorker) -> None:
    *blocks, listed = pasted("a chat by hand", worker).split("\n\n")
    said = [json.loads(block.partition("data: ")[2]) for block in blocks if block.startswith("event: delta")]
    text = "".join(delta["text"] for delta in said)
    assert text.startswith('You said: "My name is Ada."')
    assert 'you told me: 1. "My name is Ada."' in text.partition("Who am I?")[2]
    [thread] = json.loads(listed)["sessions"]
    assert thread["threadId"].startswith("chat-")
