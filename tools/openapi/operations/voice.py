"""`/api/voice-agent/chat`: a question, an answer, and a history that is kept here."""

from __future__ import annotations

from tools.openapi.parts import APP, JSON, Link, Operation, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, GUEST, MODEL, STORAGE
from waypost_worker.errors import SessionIdRequired
from waypost_worker.handlers.voice import VoiceBody, VoiceView

OPERATIONS = {
    "POST /api/voice-agent/chat": Operation(
        "askVoiceAgent",
        "chats",
        APP,
        {200: Reply("What is to be said.", {JSON: VoiceView})},
        (*BODY, SessionIdRequired, *APP_PROBLEMS, *GUEST, *MODEL, *STORAGE),
        body={JSON: VoiceBody},
        links={
            200: (
                Link(
                    "askVoiceAgent",
                    body={"sessionId": "$response.body#/sessionId", "question": "And then?"},
                    description="It remembers.",
                ),
            )
        },
        description=(
            "The `sessionId` is the secret that owns the conversation; the client makes it up. With a `session`, the "
            "model may call the tools of its tab, and the answer takes `VOICE_SECONDS` at most. What it has not "
            "finished then is cancelled and said, and the answer is `partial`."
        ),
    ),
}
