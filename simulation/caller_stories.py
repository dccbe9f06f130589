"""Calls that somebody waits for, as stories whose round trips are counted."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from simulation.round_trips import UNIT_SECONDS, Scene, Waited, counted
from simulation.scripted_model import ScriptedModel
from waypost_worker.http.messages import Response

THINKING_SECONDS = 10 * UNIT_SECONDS
"""How long a model is silent before its first word: longer than all that goes on meanwhile."""

DOCUMENTS = "/api/sessions/a-session-that-owns-documents/documents"

TOOL_CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "work", "arguments": {}}}
MCP_FIELDS = {"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json, text/event-stream"}


async def open_session(scene: Scene) -> Waited:
    """Opening a session."""
    return await scene.waited(scene.call(scene.tab, "POST", "/api/sessions", {}))


async def request_accepted(scene: Scene) -> Waited:
    """A request until its 202."""
    await scene.open()
    await scene.listen(_ignore, as_host=True)
    await scene.warm_up()
    return await scene.waited(scene.ask())


async def answer_accepted(scene: Scene) -> Waited:
    """An answer until its 202."""
    await scene.open()
    ids: list[str] = []

    async def note(request: dict[str, Any]) -> None:
        ids.append(request["id"])

    await scene.listen(note, as_host=True)
    await scene.warm_up()
    body = {"code": scene.code, "id": ids[0], "result": True}
    return await scene.waited(scene.call(scene.tab, "POST", "/api/response", body, token=scene.token))


async def to_the_tab(scene: Scene) -> Waited:
    """A request until it is on the host's stream."""
    await scene.open()
    arrived = asyncio.Event()

    async def note(request: dict[str, Any]) -> None:
        arrived.set()

    await scene.listen(note, as_host=True)
    await scene.warm_up()
    arrived.clear()
    return await scene.waited(_asked_until(scene, arrived))


async def first_call(scene: Scene) -> Waited:
    """A call until its answer, waiting in the request itself: the first of its session."""
    await scene.open()
    await scene.listen(scene.respond, as_host=True)
    return await scene.waited(scene.ask("?wait=60"))


async def next_call(scene: Scene) -> Waited:
    """The same, soon after another one."""
    await scene.open()
    await scene.listen(scene.respond, as_host=True)
    await scene.warm_up("?wait=60")
    return await scene.waited(scene.ask("?wait=60"))


async def call_with_id(scene: Scene) -> Waited:
    """The same with an id of the caller's."""
    await scene.open()
    await scene.listen(scene.respond, as_host=True)
    await scene.warm_up("?wait=60")
    return await scene.waited(scene.ask("?wait=60", id="an-id-of-the-caller"))


async def tool_call(scene: Scene) -> Waited:
    """A call of an MCP client until its result, soon after another one."""
    await scene.open()
    await scene.listen(scene.respond, as_host=True)
    await scene.warm_up("?wait=60")
    return await scene.waited(scene.call(scene.agent, "POST", f"/mcp/{scene.code}", TOOL_CALL, headers=MCP_FIELDS))


async def to_a_guests_stream(scene: Scene) -> Waited:
    """A call until its answer is on the guest's own stream."""
    await scene.open()
    await scene.listen(scene.respond, as_host=True)
    arrived = asyncio.Event()

    async def note(response: dict[str, Any]) -> None:
        arrived.set()

    await scene.listen(note, as_host=False)
    await scene.warm_up()
    arrived.clear()
    return await scene.waited(_asked_until(scene, arrived))


async def _asked_until(scene: Scene, arrived: asyncio.Event) -> None:
    scene.start(scene.ask())
    await arrived.wait()


async def _ignore(message: dict[str, Any]) -> None:
    pass


async def poll(scene: Scene) -> Waited:
    """The next poll of a host that polls."""
    await scene.open()
    call = (scene.tab, "GET", f"/api/poll?code={scene.code}")
    await scene.call(*call, token=scene.token)
    return await scene.waited(scene.call(*call, token=scene.token))


async def leave(scene: Scene) -> Waited:
    """A tab that closes."""
    await scene.open()
    return await scene.waited(scene.call(scene.tab, "POST", f"/api/sessions/{scene.code}/leave", token=scene.token))


async def write_document(scene: Scene) -> Waited:
    """A document until it is stored, where its session has one already."""
    await scene.call(scene.tab, "PUT", f"{DOCUMENTS}/another", 1)
    await scene.settle()
    return await scene.waited(scene.call(scene.tab, "PUT", f"{DOCUMENTS}/d", 1))


async def read_document(scene: Scene) -> Waited:
    """A document that is read."""
    await scene.call(scene.tab, "PUT", f"{DOCUMENTS}/d", 1)
    await scene.settle()
    return await scene.waited(scene.call(scene.tab, "GET", f"{DOCUMENTS}/d"))


def first_word(turn: int) -> Waited:
    """A question, the number `turn` of its thread, until the first word of its answer, without the model's silence."""

    async def story(scene: Scene) -> Waited:
        for _ in range(turn - 1):
            await _until_first_word(scene)
            await scene.settle()
        return await scene.waited(_until_first_word(scene))

    return counted(story, model=ScriptedModel([THINKING_SECONDS, "word"]))


async def _until_first_word(scene: Scene) -> float:
    body = json.dumps({"message": "hello", "threadId": "t"}).encode()
    response: Response = await scene.tab.open("POST", "/api/chat", body=body)
    assert isinstance(response.body, AsyncGenerator), response
    body_left = aiter(response.body)
    while b"word" not in await anext(body_left):
        pass
    scene.start(_read_to_its_end(body_left))
    return THINKING_SECONDS


async def _read_to_its_end(body: Any) -> None:
    async for _ in body:
        pass


async def read_conversation(scene: Scene) -> Waited:
    """A conversation that is read, in use."""
    await _append(scene)
    return await scene.waited(scene.call(scene.tab, "GET", "/api/conversations/c"))


async def add_message(scene: Scene) -> Waited:
    """A message until it is added to a conversation in use."""
    await _append(scene)
    return await scene.waited(_append(scene))


async def pop_message(scene: Scene) -> Waited:
    """A message until it is popped from a conversation in use."""
    await _append(scene)
    return await scene.waited(scene.call(scene.tab, "POST", "/api/conversations/c/pop", {"id": "the-pop"}))


async def _append(scene: Scene) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}]}
    await scene.call(scene.tab, "POST", "/api/conversations/c/messages", body)
