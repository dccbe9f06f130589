"""The layout of the namespace is pinned: another version of the service must find what this one wrote."""

from tests.support.builders import CODE
from waypost.keys import (
    cursor_of,
    host_key,
    journal_key,
    journal_prefix,
    request_key,
    requests_scope,
    response_key,
    response_prefix,
    responses_scope,
    session_key,
    snapshot_key,
    tools_key,
)
from waypost.limits import KV_MAX_KEY_BYTES, MAX_ID_LENGTH


def test_the_keys_are_pinned():
    assert session_key(CODE) == "session:K7Q2M9XA"
    assert tools_key(CODE) == "tools:K7Q2M9XA"
    assert host_key(CODE) == "host:K7Q2M9XA"
    assert request_key(CODE, "c1") == "req:K7Q2M9XA:c1"
    assert response_key(CODE, "id", "c1") == "res:K7Q2M9XA:id:c1"
    assert snapshot_key("id") == "conv:id"
    assert journal_key("id", "c1") == "conv:id:c1"


def test_a_queue_and_the_answers_to_one_request_are_prefixes_of_their_keys():
    assert request_key(CODE, "c1").startswith(requests_scope(CODE) + ":")
    assert response_key(CODE, "id", "c1").startswith(responses_scope(CODE) + ":")
    assert response_key(CODE, "id", "c1").startswith(response_prefix(CODE, "id"))
    assert journal_key("id", "c1").startswith(journal_prefix("id"))


def test_the_answers_to_one_request_are_not_those_of_a_longer_id():
    assert not response_key(CODE, "id2", "c1").startswith(response_prefix(CODE, "id"))


def test_a_cursor_is_the_last_part_of_its_key():
    assert cursor_of(request_key(CODE, "c1")) == "c1"
    assert cursor_of(response_key(CODE, "id", "c1")) == "c1"


def test_the_longest_key_fits():
    assert len(response_key(CODE, "i" * MAX_ID_LENGTH, "c" * 36)) <= KV_MAX_KEY_BYTES
