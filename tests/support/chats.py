"""A namespace, isolates on it, and what happens in threads there."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from simulation.client import KEY, Client, Reply, make_client, no_background
from simulation.scripted_model import Script, ScriptedModel
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.listener import Listener
from tests.support.namespace import Namespace
from tests.support.sse_parser import parse_sse
from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.live_answer import LiveAnswers
from waypost_worker.chat.unfinished import fill_in
from waypost_worker.conversations.conversation import Conversation, compaction_checks
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import RecentWrites, ThreadStore
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.models.model import Model
from waypost_worker.polling.invocation import Invocation
from waypost_worker.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

ADA = "user:ada@example.org"
THREAD = "t"
HELLO: Script = ["Hello", " Ada."]


class MortalKv(DelegatingKv):
    """The store as one isolate has it. Once `is_dead`, the isolate gets no reply from it any more, as if the platform
    had ended it in the middle of whatever it did. It `refuses` so many writes of conversations; the
    last of them takes effect if `last_takes_effect`."""

    is_dead = False
    refuses = 0
    last_takes_effect = False

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.is_dead:
            await asyncio.get_running_loop().create_future()
        if self.refuses and operation.__name__ == "put" and str(args[0]).startswith("conv:"):
            self.refuses -= 1
            if self.last_takes_effect and not self.refuses:
                await operation(*args, **kwargs)
            raise KvError("refused")
        return await operation(*args, **kwargs)


async def no_charge(_characters: int) -> None:
    """Counts nothing."""


def make_context(
    settings: Settings,
    meter: MeteredKv,
    clock: VirtualClock,
    model: Model,
    *,
    background: Callable[[Coroutine[Any, Any, None]], None] = no_background,
    log: Callable[[str], None] = print,
    charge: Callable[[int], Awaitable[None]] = no_charge,
) -> ChatContext:
    """The context of one request, as the App makes it."""
    kv = RetryingKv(meter, clock, SeededRandom(1))
    cursors = CursorFactory(clock, SeededRandom())
    ttl_seconds, limit = settings.thread_ttl_seconds, settings.thread_history_limit
    return ChatContext(
        threads=ThreadStore(kv, clock, KEY, RecentWrites()),
        conversation=lambda id: Conversation(kv, clock, cursors, compaction_checks(), id, ttl_seconds, limit, log),
        chunks=lambda id: ChunkStore(kv, id),
        unretried_chunks=lambda id: ChunkStore(meter, id),
        answers=LiveAnswers(),
        cursors=cursors,
        model=model,
        settings=settings,
        invocation=Invocation(settings.plan, clock, meter, SeededRandom()),
        background=background,
        log=log,
        charge=charge,
        can_write=lambda writes, characters: True,
    )


class Chats(Namespace[VirtualClock]):
    """Two isolates on one namespace, `here` and `elsewhere`, whose model follows the given scripts. `own_kv`: as `here`
    has it."""

    def __init__(self, *scripts: Script, **settings: Any) -> None:
        super().__init__(VirtualClock())
        self.model = ScriptedModel(*(scripts or [HELLO]))
        self.settings = Settings(**({"signing_keys": (KEY,)} | settings))
        self.threads = ThreadStore(self.kv.kv, self.clock, KEY, RecentWrites())
        self.own_kv = MortalKv(self.kv)
        self.here = self._new(0, self.own_kv)
        self.elsewhere = self._new(1, self.kv)

    def _new(self, seed: int, kv: Kv) -> Client:
        return make_client(self.settings, kv, seed=seed, model=self.model)

    def isolate(self, place: str) -> Client:
        """`here` or `elsewhere`."""
        return {"here": self.here, "elsewhere": self.elsewhere}[place]

    def evict(self) -> None:
        """End the isolate `here` without another word, and have a new one in its place."""
        self.own_kv.is_dead = True
        self.own_kv = MortalKv(self.kv)
        self.here = self._new(2, self.own_kv)

    async def open(
        self, message: str = "Hi", at: Client | None = None, last_event_id: str | None = None, **body: Any
    ) -> Any:
        """The reply to a message, unread."""
        sent = {"message": message, "threadId": THREAD, "resourceId": ADA, **body}
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return await (at or self.here).open("POST", "/api/chat", body=json.dumps(sent).encode(), headers=headers)

    async def begin(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Listener:
        """The answer to a message, from its head on."""
        response = await self.open(message, at, **body)
        assert response.status == 200, response.body
        stream = Listener(response.body)
        # The head of the stream is there immediately; let it be read.
        await asyncio.sleep(0.001)
        return stream

    async def ask(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Listener:
        """The answer to a message, from its first word on, or its end."""
        stream = await self.begin(message, at, **body)
        await stream.until_event(2)
        return stream

    async def failed(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Any:
        """The error with which the answer to a message ends before its first word."""
        stream = await self.turn(message, at, **body)
        assert stream.names() == ["start", "error", "done"]
        [error] = stream.data("error")
        assert error["partial"] is False
        return error

    async def refused(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Any:
        """The problem that a message meets."""
        response = await self.open(message, at, **body)
        assert response.status != 200
        problem = json.loads(response.body)
        assert problem["status"] == response.status
        return problem

    async def turn(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Listener:
        """The answer to a message, once it has ended."""
        stream = await self.begin(message, at, **body)
        await stream.until_over()
        return stream

    async def ask_ui(
        self, text: str = "Hi", id: str = "m1", at: Client | None = None, thread_id: str = THREAD, **body: Any
    ) -> Reply:
        """The whole answer to what the AI SDK sends."""
        messages = [{"id": id, "role": "user", "parts": [{"type": "text", "text": text}]}]
        sent = {"id": thread_id, "resourceId": ADA, "messages": messages, "trigger": "submit-message", **body}
        return await (at or self.here).call("POST", "/api/chat", sent)

    async def resume(self, at: Client | None = None, last: str | None = None, **query: str) -> Listener | None:
        """Resumes the answer that is being generated. `None`: there is none."""
        url = f"/api/chat/{THREAD}/stream?{urlencode({'resourceId': ADA, **query})}"
        response = await (at or self.here).open("GET", url, headers={"Last-Event-ID": last} if last else {})
        if response.status == 204:
            assert response.body is None
            return None
        assert response.status == 200, response.body
        assert isinstance(response.body, AsyncGenerator)
        return Listener(response.body)

    async def resumed(self, at: Client | None = None, last: str | None = None, **query: str) -> Listener:
        """Resumes the answer that is being generated. There must be one."""
        stream = await self.resume(at, last, **query)
        assert stream is not None
        return stream

    async def stop(self, at: Client | None = None, **body: Any) -> Any:
        """What a stop is answered."""
        reply = await (at or self.here).call("POST", f"/api/chat/{THREAD}/stop", {"resourceId": ADA, **body})
        assert reply.status == 200, reply.body
        return reply.json()

    def conversation(self, thread_id: str = THREAD) -> Conversation:
        """The thread's conversation, read from the store by none of the isolates."""
        cursors = CursorFactory(self.clock, SeededRandom(9))
        session_id = self.threads.session_id_for(ADA, thread_id)
        ttl_seconds, limit = self.settings.thread_ttl_seconds, self.settings.thread_history_limit
        return Conversation(self.kv.kv, self.clock, cursors, compaction_checks(), session_id, ttl_seconds, limit, print)

    async def items(self, thread_id: str = THREAD) -> list[ChatMessage]:
        """The messages of the thread as they are shown."""
        items = await self.conversation(thread_id).read()
        return await fill_in(items, lambda id: ChunkStore(self.kv.kv, id), self.clock, self.settings.plan)

    async def history(self, thread_id: str = THREAD) -> list[str]:
        """The same, in short: `assistant: text`, with a mark at what is partial."""
        return [told(item) for item in await self.items(thread_id)]


def told(item: ChatMessage) -> str:
    """`item` in short."""
    return f"{item.role}: {item.content}{' (open)' if item.is_open else ' (partial)' if item.partial else ''}"


def text_of(stream: Listener) -> str:
    """The text of a stream so far."""
    return "".join(delta["text"] for delta in stream.data("delta"))


def ends(stream: Listener) -> tuple[str, bool]:
    """How an answer ended, and whether it is partial."""
    [done] = stream.data("done")
    return done["finishReason"], done["partial"]


def ui_chunks(body: bytes) -> list[Any]:
    """The chunks of a whole UI message stream; the last one is the word that it is over."""
    *chunks, last = [event.data for event in parse_sse(body)]
    assert last == "[DONE]"
    return [json.loads(chunk) for chunk in chunks]


def ui_text(body: bytes) -> str:
    """What such a stream says."""
    return "".join(chunk["delta"] for chunk in ui_chunks(body) if chunk["type"] == "text-delta")
