"""A conversation as an agent framework's memory: what adapters do, and what the frameworks' own tests do not look at.

A thread is begun without a question; its session id is where the items go, each whole as the content of a message.
"""

import asyncio
from typing import Any

import pytest

from simulation.client import Reply
from tests.support.limiters import Budget
from tests.support.namespace import Isolates
from waypost_worker.security.rate_limits import Limit

KIB = 1024
DAY = 24 * 3600


class Memory(Isolates):
    """An agent's memory of one thread."""

    async def begin(self) -> "Memory":
        body = {"threadId": "agent", "resourceId": "ada"}
        begun = await self.client.call("POST", "/api/threads", body)
        self.path = f"/api/conversations/{begun.json()['session']['sessionId']}"
        return self

    async def add(self, *items: tuple[str, Any]) -> Reply:
        messages = [{"id": name, "role": "assistant", "content": content} for name, content in items]
        return await self.client.call("POST", f"{self.path}/messages", {"messages": messages})

    async def read(self, query: str = "") -> Any:
        reply = await self.client.call("GET", f"{self.path}{query}")
        assert reply.status == 200, reply.body
        return reply.json()

    async def names(self, query: str = "") -> list[str]:
        return [message["id"] for message in (await self.read(query))["messages"]]

    async def pop(self, name: str) -> Any:
        reply = await self.client.call("POST", f"{self.path}/pop", {"id": name})
        assert reply.status == 200, reply.body
        return reply.json()["message"]


async def test_all_of_250_items_are_read_but_for_those_that_are_said_to_be_cut_off():
    at = await Memory().begin()
    for number in range(25):
        await at.add((f"{number}", "item"))
    view = await at.read()
    assert (len(view["messages"]), view["truncated"]) == (25, False)
    for number in range(25, 250):
        await at.add((f"{number}", "item"))
    view = await at.read()
    assert [message["id"] for message in view["messages"]] == [f"{number}" for number in range(50, 250)]
    assert view["truncated"] is True


async def test_where_more_is_kept_all_is_read():
    at = await Memory(thread_history_limit=300).begin()
    for number in range(0, 250, 50):
        await at.add(*((f"{one}", "item") for one in range(number, number + 50)))
    assert (len(await at.names()), (await at.read())["truncated"]) == (250, False)


async def test_a_conversation_that_is_no_threads_keeps_ten_for_an_hour_and_says_so():
    at = Memory()
    at.path = "/api/conversations/voice"
    await at.add(*((f"{number}", "item") for number in range(25)))
    view = await at.read()
    assert (len(view["messages"]), view["truncated"]) == (10, True)
    await asyncio.sleep(3601)
    assert await at.names() == []


GROUP = [
    ("why", {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"}),
    ("call", {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"n":12345678901234567890}'}),
    ("result", {"type": "function_call_output", "call_id": "c", "output": "42"}),
]


@pytest.mark.parametrize("later", range(1, 11))
async def test_reasoning_call_and_output_are_cut_off_together(later: int):
    at = await Memory(thread_history_limit=10).begin()
    await at.add(*GROUP)
    for number in range(later):
        await at.add((f"{number}", "said"))
    names = await at.names()
    assert [name for name in names if not name.isdigit()] in (["why", "call", "result"], [])
    assert (await at.read())["truncated"] is ("why" not in names)
    assert names[-later:] == [f"{number}" for number in range(later)]


async def test_every_item_comes_back_as_it_was():
    at = await Memory().begin()
    await at.add(
        *GROUP, ("text", {"type": "message", "content": [{"type": "output_text", "logprobs": None}], "n": 1.0})
    )
    assert [message["content"] for message in (await at.read())["messages"]][:3] == [content for _, content in GROUP]


async def test_two_pops_and_an_add_at_once_lose_nothing_and_return_two_items():
    at = await Memory().begin()
    await at.add(*((f"{number}", "item") for number in range(5)))
    first, second, _ = await asyncio.gather(at.pop("p1"), at.pop("p2"), at.add(("new", "item")))
    taken = {first["id"], second["id"]}
    assert len(taken) == 2
    assert set(await at.names()) == {"0", "1", "2", "3", "4", "new"} - taken


async def test_a_pop_whose_reply_was_lost_is_repeated():
    at = await Memory().begin()
    await at.add(("a", "item"), ("b", {"n": 1.0}))
    once = await at.pop("p")
    await asyncio.sleep(1)
    await at.add(("c", "item"))
    assert await at.pop("p") == once
    assert (once["id"], once["content"]) == ("b", {"n": 1.0})
    assert await at.names() == ["a", "c"]


async def test_a_pop_of_nothing_is_null():
    assert await (await Memory().begin()).pop("p") is None


async def test_a_pop_costs_the_same_however_much_is_kept():
    at = await Memory().begin()
    for number in range(40):
        await at.add((f"{number}", "x" * 8 * KIB))
    await at.read()
    at.operations()
    await at.pop("p")
    assert at.operations().count("put") <= 2


async def test_one_item_of_the_last_is_read_without_the_rest():
    at = await Memory().begin()
    await at.add(*((f"{number}", "item") for number in range(5)))
    view = await at.read("?limit=1")
    assert ([message["id"] for message in view["messages"]], view["before"], view["truncated"]) == (["4"], "4", False)
    assert await at.names("?limit=2&before=4") == ["2", "3"]
    assert (await at.read("?limit=5&before=2")).get("before") is None


async def test_pages_of_lines_name_the_next_one_in_a_header():
    at = await Memory(thread_history_limit=2).begin()
    await at.add(*((f"é{number}", "item") for number in range(3)))
    reply = await at.client.call("GET", f"{at.path}?format=jsonl&limit=1")
    assert (reply.headers["Waypost-Truncated"], reply.headers["Waypost-Before"]) == ("true", "%C3%A92")
    whole = await at.client.call("GET", f"{at.path}?format=markdown")
    assert (whole.headers["Waypost-Truncated"], "Waypost-Before" in whole.headers) == ("true", False)


async def test_a_page_before_a_message_that_is_not_there_is_404():
    at = await Memory().begin()
    reply = await at.client.call("GET", f"{at.path}?before=gone")
    assert (reply.status, reply.json()["code"]) == (404, "message_not_found")


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "x", "2001", ""])
async def test_a_limit_is_a_whole_number(limit: str):
    at = await Memory().begin()
    reply = await at.client.call("GET", f"{at.path}?limit={limit}")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("kib", [150, 190, 250, 1000])
async def test_a_picture_is_kept(kib: int):
    at = await Memory().begin()
    picture = f"data:image/png;base64,{'A' * (kib * KIB)}"
    await at.add(("text", "What is it?"))
    reply = await at.add(("picture", {"type": "message", "content": [{"type": "input_image", "image_url": picture}]}))
    assert reply.status == 201
    assert await at.names() == ["text", "picture"]
    assert (await at.pop("p"))["content"]["content"][0]["image_url"] == picture


async def test_600_small_items_can_be_added_in_a_minute():
    budget = Budget(600)
    at = await Memory().begin()
    at.client.app._limits._limiters |= {Limit.MESSAGE: budget}  # type: ignore[attr-defined]
    statuses = [(await at.add((f"{number}", "item"))).status for number in range(601)]
    assert (set(statuses[:600]), statuses[600]) == ({201}, 429)


async def test_quick_adds_do_not_each_pay_for_all_before_them():
    at = await Memory().begin()
    for number in range(300):
        await at.add((f"{number}", "item"))
    at.operations()
    for number in range(300, 600):
        await at.add((f"{number}", "item"))
    operations = at.operations()
    assert operations.count("list") + operations.count("get_many") < 60
    assert await at.names() == [f"{number}" for number in range(400, 600)]


async def test_a_thread_that_is_opened_on_day_29_shows_its_history():
    at = await Memory().begin()
    for number in range(30):
        await at.add((f"{number}", "item"))
    await asyncio.sleep(29 * DAY)
    assert await at.names() == [f"{number}" for number in range(30)]
    assert (await at.client.call("GET", "/api/sessions?resourceId=ada")).json()["count"] == 1
    await asyncio.sleep(2 * DAY)
    assert await at.names() == []
    assert (await at.client.call("GET", "/api/sessions?resourceId=ada")).json()["count"] == 0


async def test_a_chat_of_a_thread_is_there_on_day_29_and_a_question_then_renews_it():
    at = Memory()
    asked = {"threadId": "t", "resourceId": "ada"}
    for number in range(12):
        await at.client.call("POST", "/api/chat", {**asked, "message": f"question {number}"})
        await asyncio.sleep(60)
    [thread] = (await at.client.call("GET", "/api/sessions?resourceId=ada")).json()["sessions"]
    at.path = f"/api/conversations/{thread['sessionId']}"
    await asyncio.sleep(29 * DAY)
    await at.client.call("POST", "/api/chat", {**asked, "message": "still there?"})
    await asyncio.sleep(29 * DAY)
    contents = [message["content"] for message in (await at.read())["messages"] if message["role"] == "user"]
    assert contents == [*(f"question {number}" for number in range(12)), "still there?"]


async def test_an_agent_that_begins_its_thread_again_keeps_both_alive():
    at = await Memory().begin()
    await at.add(("a", "item"))
    for _ in range(3):
        await asyncio.sleep(29 * DAY)
        await at.begin()
    assert await at.names() == ["a"]
    assert (await at.client.call("GET", "/api/sessions?resourceId=ada")).json()["count"] == 1


async def test_one_message_can_be_deleted_and_more_than_once():
    at = await Memory().begin()
    await at.add(("a", "item"), ("b/ü ?", "item"), ("c", "item"))
    for _ in range(2):
        reply = await at.client.call("DELETE", f"{at.path}/messages/b%2F%C3%BC%20%3F")
        assert (reply.status, reply.body) == (204, b"")
    assert await at.names() == ["a", "c"]
    assert (await at.read())["truncated"] is False


async def test_a_message_that_was_deleted_can_be_said_again():
    at = await Memory().begin()
    await at.add(("a", "old"), ("b", "item"))
    await at.client.call("DELETE", f"{at.path}/messages/a")
    await asyncio.sleep(1)
    await at.add(("a", "new"))
    assert [message["content"] for message in (await at.read())["messages"]] == ["item", "new"]


@pytest.mark.parametrize(
    "body", [{}, {"id": ""}, {"id": "a\nb"}, {"id": 5}, {"id": "x" * 129}, {"id": "p", "last": "a"}]
)
async def test_a_pop_needs_an_id(body: Any):
    at = await Memory().begin()
    reply = await at.client.call("POST", f"{at.path}/pop", body)
    assert reply.status == 400
