"""Exported conversations: as JSON, as JSON lines and as Markdown, with any text in them."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.client import KEY, make_client
from simulation.virtual_time import run
from tests.support.fuzzing.almost import almost_bytes, almost_text
from tests.support.strategies import json_values
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.export_json import conversation_view, to_json_lines
from waypost_worker.conversations.export_markdown import to_markdown
from waypost_worker.conversations.import_times import TimesReadAs
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolCall
from waypost_worker.errors import InvalidBody
from waypost_worker.settings import Settings

LETTERS = st.characters(codec="utf-8")
_SEEN = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
message_ids = st.text(_SEEN, min_size=1, max_size=12)
HOSTILE = (
    "```",
    "````js",
    "<!-- ",
    "</blockquote>",
    "## User, now",
    "> ",
    "\r",
    "\u2028",
    "\0",
    "&#35;",
    "\\`",
    "    # x",
)
words = st.text(LETTERS, max_size=20) | st.lists(st.sampled_from((*HOSTILE, "\n", "\n\n")), max_size=4).map("".join)
contents = words | json_values.filter(lambda value: value is not None)
calls = st.lists(
    st.fixed_dictionaries({"id": message_ids, "name": st.text(LETTERS, max_size=8), "args": json_values}), max_size=2
)


@st.composite
def messages(draw: st.DrawFn) -> Any:
    """One message as it may be imported."""
    role = draw(st.sampled_from(("user", "assistant", "system")))
    made = {"id": draw(message_ids), "role": role, "content": draw(contents), "timestamp": draw(timestamps)}
    if role == "assistant" and (called := draw(calls)):
        made["toolCalls"] = called
    if draw(st.booleans()):
        made["partial"] = True
    return made


timestamps = st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
conversations = st.lists(messages(), min_size=1, max_size=8).map(
    # Numbered, and not filtered: two messages of one id are refused.
    lambda said: [{**message, "id": f"{message['id'][:100]}{number}"} for number, message in enumerate(said)]
)


@settings(max_examples=15)
@given(conversations)
def test_what_was_exported_and_brought_back_is_exported_the_same(sent: list[Any]):
    # Without an app key, a system message is a user's.
    said = [message | ({"byUser": True} if message["role"] == "system" else {}) for message in sent]

    async def story() -> None:
        client = make_client(Settings(signing_keys=(KEY,)))
        put = await client.call("PUT", "/api/conversations/a", {"messages": sent})
        assert put.status == 200, put.body
        whole = await client.call("GET", "/api/conversations/a")
        assert whole.json()["messages"] == put.json()["messages"] == said
        lines = await client.call("GET", "/api/conversations/a?format=jsonl")
        assert [json.loads(line) for line in lines.body.split(b"\n")[:-1]] == said
        again = {"body": lines.body, "headers": {"Content-Type": "application/x-ndjson"}}
        assert (await client.call("PUT", "/api/conversations/b", **again)).json()["messages"] == said
        assert (await client.call("PUT", "/api/conversations/c", body=whole.body)).status == 200
        for copy in "bc":
            assert (await client.call("GET", f"/api/conversations/{copy}?format=jsonl")).body == lines.body
        markdown = await client.call("GET", "/api/conversations/a?format=markdown")
        check_markdown(markdown.body.decode(), said)

    run(story())


def check_markdown(text: str, said: list[Any]) -> None:
    """Every line is ours, or is quoted, or stands in a block of code; so there are as many headings as messages."""
    fence = ""
    headings = 0
    for line in re.split(r"\r\n|\r|\n", text):
        if fence:
            fence = "" if line == fence else fence
        elif opening := re.fullmatch(r"(`{3,})(?:json)?", line):
            fence = opening[1]
        elif line.startswith("## "):
            headings += 1
        else:
            assert not line or line.startswith(">") or line in ("# Conversation", "Calls a tool:"), line
    assert not fence
    assert headings == len(said)


@settings(max_examples=15)
@given(almost_bytes(conversations.map(lambda said: b"\n".join(json.dumps(message).encode() for message in said))))
def test_lines_that_are_no_conversation_are_refused(body: bytes):
    async def story() -> None:
        client = make_client(Settings(signing_keys=(KEY,)))
        headers = {"Content-Type": "application/x-ndjson"}
        reply = await client.call("PUT", "/api/conversations/a", body=body, headers=headers)
        assert reply.status in (200, 400), reply.body

    run(story())


items = st.builds(
    ChatMessage,
    message_ids,
    st.sampled_from(("user", "assistant", "system", "tool")),
    contents,
    st.integers(0, 2**42),
    st.lists(st.builds(ToolCall, message_ids, words, json_values), max_size=2),
    st.none() | words,
    st.booleans(),
    st.booleans(),
)


@given(st.lists(items, max_size=4), st.none() | st.builds(ForkOrigin, words, st.none() | words))
def test_anything_that_is_kept_can_be_shown(said: list[ChatMessage], origin: ForkOrigin | None):
    view = conversation_view("s", History(said, origin))
    assert len(to_json_lines(view.messages).split(b"\n")) == len(said) + 1
    to_markdown(view).decode()


@given(almost_text(["2026-01-01T00:00:00.000Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+12:00", "2026-W01-1"]))
def test_a_time_is_read_or_refused(text: str):
    try:
        milliseconds = TimesReadAs().milliseconds(text)
    except InvalidBody:
        return
    assert abs(milliseconds) < 2**49
