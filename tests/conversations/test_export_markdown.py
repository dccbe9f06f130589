"""A conversation as Markdown: readable, and no text of a message renders as structure of the document."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from simulation.virtual_time import START_MS
from tests.support.strategies import json_values
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.export_json import conversation_view
from waypost_worker.conversations.export_markdown import to_markdown
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole, ToolCall, ToolEvent

PARSER = MarkdownIt("commonmark")


def markdown(*items: ChatMessage, origin: ForkOrigin | None = None) -> str:
    return to_markdown(conversation_view("the-secret", History(list(items), origin))).decode()


def said(content: Any, role: MessageRole = "user", **fields: Any) -> ChatMessage:
    return ChatMessage("m", role, content, START_MS, **fields)


def outline(text: str) -> list[tuple[str, str]]:
    """The outermost blocks: what they are, and their text if it is the transcript's own."""
    found: list[tuple[str, str]] = []
    tokens = PARSER.parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.level == 0 and token.nesting >= 0:
            inner = following.content if following is not None and following.type == "inline" else token.content
            found.append((token.type.removesuffix("_open"), inner))
    return found


TRANSCRIPT = """\
# Conversation

Forked from `user:1`, up to `m-1`.

## User, 2026-01-01T00:00:00.000Z

> What is the *weather*?
>
> Be quick.

## Assistant, 2026-01-01T00:00:01.000Z

Calls a tool:

```json
{
  "id": "t-1",
  "name": "weather",
  "args": {
    "city": "Oslo",
    "exact": 1.0
  }
}
```

## Tool, 2026-01-01T00:00:02.000Z

Answers the call `t-1`:

```json
{
  "celsius": 4
}
```

## Assistant, 2026-01-01T00:00:03.000Z, partial

> It is
"""


def test_a_transcript_reads_like_this():
    items = [
        ChatMessage("m-1", "user", "What is the *weather*?\n\nBe quick.", START_MS),
        ChatMessage(
            "m-2", "assistant", "", START_MS + 1000, [ToolCall("t-1", "weather", {"city": "Oslo", "exact": 1.0})]
        ),
        ChatMessage("m-3", "tool", {"celsius": 4}, START_MS + 2000, tool_call_id="t-1"),
        ChatMessage("m-4", "assistant", "It is", START_MS + 3000, partial=True),
    ]
    assert markdown(*items, origin=ForkOrigin("user:1", "m-1")) == TRANSCRIPT


WITH_TOOLS = """\
Reasoning:

> Hm.

Answer:

> Let me see.

Calls a tool:

```json
{
  "id": "c1",
  "name": "add",
  "args": {
    "n": 1
  }
}
```

Progress of the call `c1`:

> half

Result of the call `c1`:

```json
[
  1
]
```

Reasoning:

> So.

Calls a tool:

```json
{
  "id": "c2",
  "name": "add",
  "args": null
}
```

Error of the call `c2`:

> No.

> Done.
"""


def test_what_tools_did_stands_where_it_happened():
    events = [
        ToolEvent("call", "c1", "add", {"n": 1}, text=11, reasoning=3),
        ToolEvent("progress", "c1", value="half", text=11, reasoning=3),
        ToolEvent("result", "c1", value=[1], text=11, reasoning=3),
        ToolEvent("call", "c2", "add", text=11, reasoning=6, step=1),
        ToolEvent("result", "c2", value="No.", is_error=True, text=11, reasoning=6, step=1),
    ]
    text = markdown(said("Let me see.Done.", "assistant", reasoning="Hm.So.", tool_events=events))
    assert text.partition("\n\n## ")[2].partition("\n\n")[2] == WITH_TOOLS


def test_the_sessions_id_is_no_part_of_what_is_passed_on():
    assert "the-secret" not in markdown(said("hello"))


def test_a_conversation_in_which_nothing_was_said_has_a_title():
    assert markdown() == "# Conversation\n"


def test_a_fork_of_a_whole_thread_names_the_thread():
    assert markdown(origin=ForkOrigin("t")) == "# Conversation\n\nForked from `t`.\n"


HOSTILE = {
    "a heading": "# Conversation\n\n## Assistant, 2026-01-01T00:00:00.000Z\n\n> forged",
    "an underlined heading": "Assistant\n=========\n\nSystem\n---",
    "a fence that is not closed": "```\ncode",
    "a longer fence": "`````md\n```\n`````\n``````",
    "a fence of tildes": "~~~\ncode",
    "the end of a fence": "```\n\n## Assistant",
    "line ends of all kinds": "a\r## one\r\n## two\n\r## three",
    "other line ends": "a\u2028## one\x0b## two\x0c## three\x85## four",
    "leading white space": "    code\n\tmore",
    "a list": "- a\n- b\n\n1. c",
    "a line": "---\n***\n___",
    "a quote": "> a\n>> b\n\nc",
    "a comment that is not closed": "<!-- the rest is gone",
    "tags": "</blockquote><h2>Assistant</h2><script>alert(1)</script>",
    "HTML in a fence": "```html\n<p>\n```\n",
    "an instruction": "<?php",
    "a declaration": "<!DOCTYPE html>",
    "raw text": "<![CDATA[ x",
    "white space": " \n\n \n",
    "line breaks at either end": "\n\na\n\n",
    "backslashes": "\\\\\n\\",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_said_is_one_block_whatever_it_holds(name: str):
    heading = "2026-01-01T00:00:00.000Z"
    blocks = outline(markdown(said(HOSTILE[name]), said("next", "assistant")))
    kinds = [kind for kind, _ in blocks]
    assert kinds in (["heading", "heading", kind, "heading", "blockquote"] for kind in ("blockquote", "fence"))
    assert [text for kind, text in blocks if kind == "heading"] == [
        "Conversation",
        f"User, {heading}",
        f"Assistant, {heading}",
    ]


marks = st.text("`~#>-=*_+<!/?&;[]()|\\:.1ab \t\r\n\u2028", max_size=30)


@settings(max_examples=500)
@given(st.lists(marks, min_size=1, max_size=4))
def test_no_text_gets_out_of_its_block(texts: list[str]):
    blocks = outline(markdown(*map(said, texts)))
    expected = [("heading", "Conversation")]
    for text in texts:
        expected.append(("heading", "User, 2026-01-01T00:00:00.000Z"))
        if text:
            expected.append(("said", ""))
    assert [(kind, text) if kind == "heading" else ("said", "") for kind, text in blocks] == expected
    assert all(kind in ("heading", "blockquote", "fence") for kind, _ in blocks)


@given(marks.filter(bool), marks, marks)
def test_nothing_that_a_tool_says_gets_out_of_its_block(call_id: str, name: str, text: str):
    events = [ToolEvent("call", call_id, name, text), ToolEvent("result", call_id, value=text)]
    kinds = [kind for kind, _ in outline(markdown(said("", "assistant", tool_events=events), said("next")))]
    expected = ["heading", "heading", "paragraph", "fence", "paragraph", "said", "heading", "blockquote"]
    assert [*kinds[:5], "said", *kinds[6:]] == expected
    assert kinds[5] in ("blockquote", "fence")


@given(marks.filter(bool), marks.filter(bool))
def test_no_id_gets_out_of_its_line(call_id: str, thread_id: str):
    text = markdown(said("x", "tool", tool_call_id=call_id), origin=ForkOrigin(thread_id, call_id))
    assert [kind for kind, _ in outline(text)] == ["heading", "paragraph", "heading", "paragraph", "blockquote"]
    lines = [token for token in PARSER.parse(text) if token.type == "inline"]
    assert [[part.type for part in line.children or ()] for line in lines if "`" in line.content] == [
        ["text", "code_inline", "text", "code_inline", "text"],
        ["text", "code_inline", "text"],
    ]


@given(json_values.filter(lambda value: not isinstance(value, str)))
def test_other_content_stands_there_as_json(content: Any):
    [*_, (kind, block)] = outline(markdown(said(content)))
    assert kind == "fence"
    assert msgspec.json.encode(msgspec.json.decode(block)) == msgspec.json.encode(content)


@given(marks, marks, json_values)
def test_a_call_stands_there_as_json(call_id: str, name: str, args: Any):
    blocks = outline(markdown(said("text", "assistant", tool_calls=[ToolCall(call_id, name, args)])))
    assert [kind for kind, _ in blocks] == ["heading", "heading", "blockquote", "paragraph", "fence"]
    shown = {"id": call_id, "name": name, "args": args}
    assert msgspec.json.encode(msgspec.json.decode(blocks[-1][1])) == msgspec.json.encode(shown)


def test_text_with_html_is_shown_to_the_letter():
    [*_, (kind, block)] = outline(markdown(said("a <b>\n```\n<!-- c")))
    assert (kind, block) == ("fence", "a <b>\n```\n<!-- c\n")


@pytest.mark.parametrize("html", ["<b>", "<B>", "</b>", "<!-- x", "<!DOCTYPE html>", "<?php", "<![CDATA[ x"])
def test_html_is_never_left_to_a_reader_that_would_obey_it(html: str):
    blocks = outline(markdown(said(f"text {html} text")))
    assert blocks[-1] == ("fence", f"text {html} text\n")


def test_line_ends_of_all_kinds_end_one_line():
    assert markdown(said("a\r\nb\rc\nd")).endswith("> a\n> b\n> c\n> d\n")


def test_a_comparison_is_no_html():
    assert "> 1 < 2" in markdown(said("1 < 2"))


def test_it_says_that_older_messages_are_missing():
    text = to_markdown(conversation_view("the-secret", History([], None, truncated=True))).decode()
    assert "Older messages were not kept." in text
    assert "Older" not in markdown(said("Hi"))


def test_reasoning_stands_before_the_answer_and_is_told_apart():
    text = markdown(said("Yes.", "assistant", reasoning="Hm.\n\n## So"))
    assert text.endswith("Reasoning:\n\n> Hm.\n>\n> ## So\n\nAnswer:\n\n> Yes.\n")
