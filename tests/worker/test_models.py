"""Models in workerd: requests that really go out, to a scripted service on loopback.

The Worker's entry point here (models_project) lets a test ask the model directly; test_chat_models.py has
the chats.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.completions import TEXT, byte_by_byte, chunk, event, said, whole, workers_ai
from tests.support.model_server import (
    DEFAULT,
    RESET,
    STALL,
    Head,
    ModelServer,
    Pause,
    Step,
    paced,
    refusal,
)
from tests.support.sse_client import LONGEST_SECONDS
from tests.support.waiting import eventually
from tests.worker.conftest import NewWorker
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project

ENTRY = Path(__file__).parent / "models_project" / "entry.py"
ITEMS = [{"id": "1", "role": "user", "content": "Hi", "timestampMs": 0}]
KEY = "sk-a-key-that-nobody-may-see"
TOO_SLOW = {
    "end": "model_timed_out",
    "detail": "The model's service said nothing for too long.",
    "log": "nothing for 2 s",
}
BROKEN_OFF = "The model's answer broke off."
LINGER_SECONDS = 20
"""How long a reply stays open after its end: whatever ends a request before that, it is not the end of the reply."""
ROUNDS = 30
SLACK = 5
"""Objects that the interpreter's own caches may gain; one left by each answer would be more."""


@dataclass
class Heard:
    """The outcome of a question: the deltas, after how many seconds each, and how it ended."""

    pieces: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0

    @property
    def text(self) -> str:
        return "".join(self.pieces)


Ask = Callable[..., Heard]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as service:
        yield service


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> Iterator[ProjectWorker]:
    project = copy_project(tmp_path_factory.mktemp("models") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    variables = {"OPENAI_BASE_URL": server.url, "OPENAI_MODEL": "gpt-x", "MODEL_TIMEOUT_SECONDS": "2"}
    with ProjectWorker(project, OPENAI_API_KEY=KEY, **variables) as worker:
        yield worker


@pytest.fixture(scope="module")
def http(talking: ProjectWorker) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=talking.url, timeout=120) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client) -> Ask:
    def ask_and_listen(**question: Any) -> Heard:
        return listen(http, **question)

    return ask_and_listen


def listen(http: httpx.Client, **question: Any) -> Heard:
    heard, start, rest = Heard(), time.monotonic(), b""
    with http.stream("POST", "/ask", json={"items": ITEMS, **question}) as response:
        for received in response.iter_raw():
            *lines, rest = (rest + received).split(b"\n")
            for line in map(json.loads, lines):
                if "piece" in line:
                    heard.pieces.append(line["piece"])
                    heard.at.append(time.monotonic() - start)
                else:
                    heard.end, heard.ended_at = line, time.monotonic() - start
    return heard


def was_left(server: ModelServer, seconds: float = LONGEST_SECONDS) -> bool:
    """Whether the service sees that every client has left."""
    return bool(eventually(lambda: all(asked.has_left for asked in server.requests), seconds))


def test_the_request_is_what_such_a_service_expects(ask: Ask, server: ModelServer) -> None:
    server.script(DEFAULT)
    heard = ask(items=[{"id": "1", "role": "user", "content": TEXT, "timestampMs": 0}], model="gpt-y")
    assert (heard.pieces, heard.end) == (["Hello", " from", " the", " model."], {"end": "ok"})
    [asked] = server.requests
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {"model": "gpt-y", "messages": [{"role": "user", "content": TEXT}], "stream": True}
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"


def test_the_deltas_arrive_while_the_service_goes_on(ask: Ask, server: ModelServer) -> None:
    server.script(paced(said("a", "b", "c", "d"), 0.5))
    heard = ask()
    assert heard.pieces == ["a", "b", "c", "d"]
    # Of 1.5 s; deltas that all came at the end would be no time apart.
    assert heard.at[-1] - heard.at[0] > 0.45
    assert heard.end == {"end": "ok"}


def test_a_pause_below_the_limit_is_none(ask: Ask, server: ModelServer) -> None:
    # Together they are longer than the limit.
    server.script([Pause(0.8), *paced(said("a", "b"), 0.8)])
    assert (ask().text, len(server.requests)) == ("ab", 1)


def test_a_stream_may_be_split_at_every_byte(ask: Ask, server: ModelServer) -> None:
    stream = 'data: {"choices":[{"delta":{"content":"é👋🏽"}}]}\r\n\r\ndata: [DONE]\r\n\r\n'.encode()
    for place in range(1, len(stream)):
        server.script([Head(), stream[:place], Pause(0.003), stream[place:]])
        assert ask().text == "é👋🏽", place


def test_a_stream_may_come_byte_by_byte(ask: Ask, server: ModelServer) -> None:
    server.script(paced(byte_by_byte(said(*TEXT)), 0.0005))
    heard = ask()
    assert (heard.text, heard.end) == (TEXT, {"end": "ok"})


def test_a_large_answer_comes_whole(ask: Ask, server: ModelServer) -> None:
    server.script([Head(), *said(*[TEXT * 20] * 100)])
    assert ask().text == TEXT * 2000


def test_an_answer_that_is_not_streamed_is_taken_too(ask: Ask, server: ModelServer) -> None:
    server.script([Head(200, {"Content-Type": "application/json"}), whole(TEXT)])
    assert ask().pieces == [TEXT]


@pytest.mark.parametrize(
    ("script", "pieces"),
    [
        ([STALL], []),
        ([Head(), STALL], []),
        ([Head(), chunk(role="assistant"), STALL], []),
        ([Head(), chunk("a"), b"data: {", STALL], ["a"]),
    ],
    ids=["before the head", "after the head", "before the first word", "in the middle"],
)
def test_silence_is_a_time_out_and_ends_the_request(
    ask: Ask, server: ModelServer, script: list[Step], pieces: list[str]
) -> None:
    server.script(script)
    heard = ask()
    assert (heard.pieces, heard.end) == (pieces, TOO_SLOW)
    assert 1.9 < heard.ended_at < 30
    assert len(server.requests) == 1
    assert was_left(server)


@pytest.mark.parametrize(
    "script",
    [[RESET], [Head(), RESET], [Head(), chunk(role="assistant"), Pause(0.1), RESET], [Head()], refusal(500)],
    ids=["before the head", "after the head", "before the first word", "with nothing said", "with a status"],
)
def test_what_breaks_off_before_the_first_word_is_asked_again(
    ask: Ask, server: ModelServer, script: list[Step]
) -> None:
    server.script(script, DEFAULT)
    assert (ask().text, len(server.requests)) == ("Hello from the model.", 2)


@pytest.mark.parametrize("last", [[RESET], []], ids=["by a reset", "by an end"])
def test_what_breaks_off_in_the_middle_is_told(ask: Ask, server: ModelServer, last: list[Step]) -> None:
    server.script([Head(), chunk("a"), chunk("b"), Pause(0.1), *last])
    heard = ask()
    assert (heard.pieces, heard.end["end"], heard.end["detail"]) == (["a", "b"], "model_failed", BROKEN_OFF)
    assert len(server.requests) == 1


def test_a_service_that_asks_for_a_moment_gets_it(ask: Ask, server: ModelServer) -> None:
    server.script(refusal(429, Retry_After="1"), DEFAULT)
    heard = ask()
    assert heard.text == "Hello from the model."
    assert heard.at[0] > 1.2


@pytest.mark.parametrize("status", [301, 307, 400, 401])
def test_a_refusal_is_told_without_what_was_said_and_a_redirect_is_one(
    ask: Ask, server: ModelServer, status: int
) -> None:
    server.script(refusal(status, f'{{"error":"not with {KEY}"}}', Location=f"{server.url}/elsewhere"))
    assert ask().end == {
        "end": "model_failed",
        "detail": f"The model's service answered with status {status}.",
        "log": '{"error":"not with [OPENAI_API_KEY]"}',
    }
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        [Head(200, {"Content-Type": "text/html"}), b"<h1>Sign in</h1>"],
        [Head(), b"data: <h1>Sign in</h1>\n\n"],
        [Head(), event({"choices": "none"})],
        [Head(), *[b"data: " + b"x" * 65_536] * 17],
        [Head(200, {"Content-Type": "application/json"}), b"<h1>Sign in</h1>"],
        [Head(200, {"Content-Type": "application/json"}), b"[1]"],
    ],
    ids=["HTML", "no JSON", "another shape", "no end", "no JSON at all", "another shape at all"],
)
def test_garbage_is_no_answer(ask: Ask, server: ModelServer, script: list[Step]) -> None:
    server.script(script)
    heard = ask()
    assert (heard.end["end"], heard.end["detail"]) == (
        "model_failed",
        "The model's service sent something that is no answer.",
    )
    assert len(server.requests) == 1


def test_chunks_without_words_and_without_done_are_fine(ask: Ask, server: ModelServer) -> None:
    server.script([Head(), event({"choices": []}), chunk(role="assistant"), chunk("a", finish_reason="stop")])
    heard = ask()
    assert (heard.pieces, heard.end) == (["a"], {"end": "ok"})


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ([STALL], {"giveUpSeconds": 0.3}),
        ([Head(), chunk("a"), STALL], {"giveUpSeconds": 0.3}),
        ([Head(), chunk("a"), chunk("b"), STALL], {"stopAfter": 1}),
        ([Head(), b"data: garbage\n\n", STALL], {}),
        ([Head(401), b"x" * 10_000, STALL], {}),
    ],
    ids=["before the head", "while it waits", "between two pieces", "at garbage", "at a refusal"],
)
def test_who_stops_listening_ends_the_request_at_once(
    http: httpx.Client, server: ModelServer, script: list[Step], how: dict[str, Any]
) -> None:
    server.script(script)
    body = {"items": ITEMS, "lingerSeconds": LINGER_SECONDS, **how}
    with http.stream("POST", "/ask", json=body) as response:
        received = b""
        for chunk_received in response.iter_raw():
            received += chunk_received
            if b'"end"' in received:
                break
        assert was_left(server, LINGER_SECONDS / 2)


def test_a_reply_that_is_closed_unread_ends_the_request(http: httpx.Client, server: ModelServer) -> None:
    server.script([Head(), b"data: unread\n\n", STALL])
    with http.stream("POST", "/unread", content=server.url) as response:
        assert next(response.iter_raw()) == b"200"
        assert was_left(server, LINGER_SECONDS / 2)


def test_a_client_that_goes_away_ends_the_request(http: httpx.Client, server: ModelServer) -> None:
    server.script(paced([chunk("a")] * 300, 0.1))
    with http.stream("POST", "/ask", json={"items": ITEMS}) as response:
        next(response.iter_raw())
    assert was_left(server)


def ai_reply(frames: list[bytes], **more: Any) -> dict[str, Any]:
    return {"text": b"".join(frames).decode(), **more}


def test_workers_ai_is_asked_through_its_binding(ask: Ask) -> None:
    heard = ask(ai=[ai_reply(workers_ai("Grüße", " 👋🏽 ", 7))], model="@cf/x")
    assert heard.pieces == ["Grüße 👋🏽 7"]
    inputs = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
    assert heard.end == {"end": "ok", "asked": [["@cf/x", inputs, True]]}


def test_workers_ai_may_talk_as_openai_does(ask: Ask) -> None:
    assert ask(ai=[ai_reply(said(*TEXT))]).text == TEXT


def test_workers_ai_may_refuse_once(ask: Ask) -> None:
    busy, good = {"text": "3040: busy", "status": 429}, ai_reply(workers_ai("Hello"))
    for first in (busy, {"refusal": "3040: busy"}, {"text": ""}):
        assert ask(ai=[first, good]).text == "Hello"


def test_workers_ai_may_refuse_for_good(ask: Ask) -> None:
    heard = ask(ai=[{"text": "5007: No such model", "status": 400, "contentType": "application/json"}])
    assert heard.end["detail"] == "The model's service answered with status 400."
    assert heard.end["log"] == "5007: No such model"
    heard = ask(ai=[{"refusal": "gone"}, {"refusal": "gone"}])
    assert (heard.end["detail"], heard.end["log"]) == ("The model's service could not be reached.", "Error: gone")


@pytest.mark.parametrize("script", [[STALL], [Head(), STALL], [Head(), *workers_ai("a", usage=False)[:1], STALL]])
def test_workers_ai_may_be_silent_for_too_long(ask: Ask, server: ModelServer, script: list[Step]) -> None:
    server.script(script)
    end = ask(ai=[{"url": server.url}]).end
    assert {name: end[name] for name in TOO_SLOW} == TOO_SLOW
    assert was_left(server)


def counts_at_rest(http: httpx.Client) -> dict[str, int]:
    """What is alive once no answer is being generated any more."""

    def look() -> dict[str, int] | None:
        counted: dict[str, int] = http.get("/counts").json()
        return counted if counted["asyncGenerators"] == counted["openProxies"] == 0 else None

    look()
    return eventually(look)


def test_no_way_for_an_answer_to_end_leaves_anything_behind(ask: Ask, http: httpx.Client, server: ModelServer) -> None:
    def end_in_every_way() -> None:
        for script in (DEFAULT, refusal(401), [Head(), chunk("a"), RESET], [Head(), b"data: no\n\n"]):
            server.script(script)
            ask()
        server.script([Head(), chunk("a"), chunk("b"), STALL])
        ask(stopAfter=1)
        ask(ai=[ai_reply(workers_ai("a"))])

    def time_out() -> None:
        for script in ([STALL], [Head(), STALL]):
            server.script(script)
            ask()

    end_in_every_way()
    time_out()
    before = counts_at_rest(http)
    for _ in range(ROUNDS):
        end_in_every_way()
    time_out()
    after = counts_at_rest(http)
    allowed = before | {"others": before["others"] + SLACK}
    assert {name: count for name, count in after.items() if count > allowed[name]} == {}


def test_nothing_of_this_was_an_error_to_the_runtime_and_no_key_was_printed(talking: ProjectWorker) -> None:
    log = talking.log_text()
    for complaint in ("hung", "Cannot perform I/O", "Traceback", "Uncaught", "never retrieved", "never awaited", KEY):
        assert complaint not in log


def test_the_health_says_who_answers(http: httpx.Client, worker: LocalWorker) -> None:
    assert http.get("/health").json()["model"] == "openai: gpt-x"
    assert httpx.get(f"{worker.url}/health").json()["model"] == "echo"


def test_workers_ai_without_its_binding_is_told_before_anybody_asks(new_worker: NewWorker) -> None:
    reply = httpx.get(f"{new_worker(MODEL_PROVIDER='workers-ai').url}/health")
    assert (reply.status_code, reply.json()["code"]) == (503, "unconfigured")
    assert "no binding AI" in reply.json()["detail"]
