"""What is called: each of the API's calls as a turn, prepared outside of what is timed.

A caller has a session of its own and an address of its own, so that no call waits for another one's session or budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.measure.load import rate
from bench.measure.rounds import Sample
from bench.measure.wire import Connection, Sender

ARGS = {"city": "Zürich", "unit": "celsius", "days": 3}
RESULT = {"days": [{"high": 21, "low": 9}, {"high": 18, "low": 7}, {"high": 19, "low": 11}]}
CONVERSATION = 10
"""Messages in the conversation that is read."""

_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """Where to call, and whose CPU it takes."""

    port: int
    group: int


@dataclass(frozen=True)
class Session:
    """One open session."""

    code: str
    guest: Sender
    host: Sender


Script = list[bytes]
Prepare = Callable[[Connection, int], Script]
"""Makes what one client sends in a turn, so many calls; may call the server for it before the time is taken."""


def open_session(connection: Connection) -> Session:
    """A new session."""
    opened = connection.call(Sender().message("POST", "/api/sessions", {})).json()
    return Session(opened["code"], Sender(), Sender(opened["hostToken"]))


def request_body(code: str, **fields: Any) -> dict[str, Any]:
    """A typical request."""
    return {"code": code, "tool": "forecast", "args": ARGS, **fields}


def create(connection: Connection, calls: int) -> Script:
    sender = Sender()
    return [sender.message("POST", "/api/sessions", {"label": "bench"})] * calls


def request(connection: Connection, calls: int) -> Script:
    session = open_session(connection)
    return [session.guest.message("POST", "/api/request", request_body(session.code))] * calls


def response(connection: Connection, calls: int) -> Script:
    session = open_session(connection)
    asked = session.guest.message("POST", "/api/request", request_body(session.code))
    ids = [connection.call(asked).json()["id"] for _ in range(calls)]
    bodies = ({"code": session.code, "id": id, "result": RESULT} for id in ids)
    return [session.host.message("POST", "/api/response", body) for body in bodies]


def poll(connection: Connection, calls: int) -> Script:
    session = open_session(connection)
    connection.call(session.guest.message("POST", "/api/request", request_body(session.code)))
    return [session.host.message("GET", f"/api/poll?code={session.code}")] * calls


def conversation(connection: Connection, calls: int) -> Script:
    sender, path = Sender(), f"/api/conversations/bench-conversation-{next(_numbers):08d}"
    messages = [
        {"id": f"m-{number}", "role": "user", "content": f"Message {number} of a conversation that is read."}
        for number in range(CONVERSATION)
    ]
    connection.call(sender.message("POST", f"{path}/messages", {"messages": messages}))
    return [sender.message("GET", path)] * calls


def echo(connection: Connection, calls: int) -> Script:
    """What a bare handler is sent: the body of a request."""
    return [Sender().message("POST", "/echo", request_body("ABCD2345"))] * calls


CALLS: dict[str, Prepare] = {
    "create a session": create,
    "request": request,
    "response": response,
    "poll": poll,
    "read a conversation of 10": conversation,
}


def turn(server: Server, prepare: Prepare, calls: int, connections: int) -> Callable[[], Sample]:
    """A turn of `calls` calls over so many connections: calls a second."""

    def run() -> Sample:
        with Connection(server.port) as connection:
            scripts: Sequence[Script] = [prepare(connection, calls // connections) for _ in range(connections)]
        return rate(server.port, server.group, scripts)

    return run
