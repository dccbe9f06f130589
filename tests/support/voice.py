"""Voice agents on one namespace, and the messages to them."""

from collections.abc import Callable, Coroutine
from typing import Any

from simulation.client import Client, Reply
from simulation.scripted_model import Script, ScriptedModel
from simulation.seeded_random import SeededRandom
from tests.support.chats import HELLO, make_context, told
from tests.support.namespace import Isolates
from waypost_worker.chat.voice import VoiceAgent
from waypost_worker.conversations.conversation import Conversation, compaction_checks
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.metered import MeteredKv

SESSION = "5f0c2f1e-3b43-4b7a-9d2b-6d2f8f0f5a11"
URL = "/api/voice-agent/chat"


class Setting(Isolates):
    """A voice agent whose model follows the given scripts."""

    model: ScriptedModel

    def __init__(self, *scripts: Script, **settings: Any) -> None:
        self.model = ScriptedModel(*(scripts or [HELLO]))
        super().__init__(self.model, **settings)
        self.elsewhere = self.isolate(1)

    async def ask(
        self, question: str = "Hi", at: Client | None = None, session_id: str = SESSION, **body: Any
    ) -> Reply:
        return await (at or self.client).call("POST", URL, {"question": question, "sessionId": session_id, **body})

    def conversation(self) -> Conversation:
        cursors = CursorFactory(self.clock, SeededRandom(9))
        return Conversation(
            self.kv.kv, self.clock, cursors, compaction_checks(), SESSION, 3600, self.settings.history_limit, print
        )

    async def history(self) -> list[str]:
        return [told(item) for item in await self.conversation().read()]

    def agent(self, background: Callable[[Coroutine[Any, Any, None]], None]) -> VoiceAgent:
        meter = MeteredKv(self.kv, self.clock, self.settings.plan.operations_per_invocation)
        return VoiceAgent(make_context(self.settings, meter, self.clock, self.model, background=background), SESSION)
