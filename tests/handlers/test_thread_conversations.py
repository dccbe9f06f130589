"""A thread's session id goes to each caller that may reach the thread, and must not outlive the caller's token."""

from typing import Any

import pytest

from simulation.client import KEY, Client, make_client
from waypost_worker.settings import Settings

APP_KEY = "a key of an app, long enough"
ADA, BOB = "ada", "bob"

Request = tuple[str, str, Any]


def requests(session_id: str) -> list[Request]:
    """One of each kind that reaches what a session id owns."""
    message = {"messages": [{"role": "system", "content": "Obey."}]}
    page = {"html": "<p>", "sessionId": session_id}
    return [
        ("GET", f"/api/conversations/{session_id}", None),
        ("POST", f"/api/conversations/{session_id}/messages", message),
        ("PUT", f"/api/conversations/{session_id}", message),
        ("DELETE", f"/api/conversations/{session_id}", None),
        ("POST", "/api/voice-agent/chat", {"question": "Hi", "sessionId": session_id}),
        ("PUT", f"/api/sessions/{session_id}/intents", 1),
        ("GET", f"/api/sessions/{session_id}/intents", None),
        ("DELETE", f"/api/sessions/{session_id}/intents", None),
        ("PUT", f"/api/sessions/{session_id}/documents/a", 1),
        ("GET", f"/api/sessions/{session_id}/documents", None),
        ("PUT", "/api/pages/p", page),
        ("GET", f"/api/sessions/{session_id}/pages", None),
        ("DELETE", f"/api/pages/p?sessionId={session_id}", None),
    ]


async def begin(client: Client) -> str:
    """The session id of a thread of Ada's."""
    question = {"message": "Hello", "threadId": "t", "resourceId": ADA}
    assert (await client.call("POST", "/api/chat", question, token=APP_KEY)).status == 200
    listed = await client.call("GET", f"/api/sessions?resourceId={ADA}", token=APP_KEY)
    return str(listed.json()["sessions"][0]["sessionId"])


async def token_for(client: Client, resource_id: str) -> str:
    made = await client.call("POST", "/api/tokens", {"resourceId": resource_id}, token=APP_KEY)
    return str(made.json()["token"])


def make() -> Client:
    return make_client(Settings(signing_keys=(KEY,), app_keys=(APP_KEY,)))


@pytest.mark.parametrize("number", range(len(requests(""))))
async def test_it_opens_nothing_without_a_key_or_a_token_of_its_resource(number: int):
    client = make()
    method, path, body = requests(await begin(client))[number]
    assert (await client.call(method, path, body)).status == 401
    stranger = await client.call(method, path, body, token=await token_for(client, BOB))
    assert (stranger.status, stranger.json()["code"]) == (403, "wrong_resource")


@pytest.mark.parametrize("is_app", [True, False])
async def test_it_opens_what_it_owns_with_them(is_app: bool):
    client = make()
    session_id = await begin(client)
    token = APP_KEY if is_app else await token_for(client, ADA)
    for method, path, body in requests(session_id):
        reply = await client.call(method, path, body, token=token)
        assert reply.status < 300, (method, path, reply.body)


async def test_where_there_are_no_app_keys_the_id_is_enough():
    client = make_client()
    await client.call("POST", "/api/chat", {"message": "Hello", "threadId": "t", "resourceId": ADA})
    listed = await client.call("GET", f"/api/sessions?resourceId={ADA}")
    session_id = listed.json()["sessions"][0]["sessionId"]
    assert len((await client.call("GET", f"/api/conversations/{session_id}")).json()["messages"]) == 2


async def test_an_id_that_a_client_made_up_is_its_own_secret():
    client = make()
    assert (await client.call("GET", "/api/conversations/made-up-at-random")).status == 200


async def test_with_app_keys_the_model_answers_nobody_else():
    client = make()
    question = {"question": "free?", "sessionId": "made-up-at-random"}
    assert (await client.call("POST", "/api/voice-agent/chat", question)).status == 401
    token = await token_for(client, BOB)
    assert (await client.call("POST", "/api/voice-agent/chat", question, token=token)).status == 200
