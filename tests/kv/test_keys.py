"""The layout of the namespace is pinned: another version of the service must find what this one wrote."""

from tests.support.builders import CODE
from waypost_worker.kv.keys import (
    cursor_of,
    document_key,
    documents_prefix,
    host_key,
    journal_key,
    journal_prefix,
    named_document_key,
    page_key,
    request_key,
    requests_scope,
    response_key,
    response_prefix,
    responses_scope,
    session_key,
    session_page_key,
    session_pages_prefix,
    snapshot_key,
    thread_id_of,
    thread_key,
    threads_prefix,
    tools_key,
)
from waypost_worker.limits import KV_MAX_KEY_BYTES, MAX_APP_ID_KEY_BYTES, MAX_ID_LENGTH


def test_the_keys_are_pinned():
    assert session_key(CODE) == "session:K7Q2M9XA"
    assert tools_key(CODE) == "tools:K7Q2M9XA"
    assert host_key(CODE) == "host:K7Q2M9XA"
    assert request_key(CODE, "c1") == "req:K7Q2M9XA:c1"
    assert response_key(CODE, "id", "c1") == "res:K7Q2M9XA:id:c1"
    assert snapshot_key("id") == "conv:id"
    assert journal_key("id", "c1") == "conv:id:c1"
    assert thread_key("user:ada@example.org", "a b/\u00e9~%") == "thread:user%3Aada%40example.org:a%20b%2F%C3%A9~%25"
    assert document_key("intents", "sid") == "intents:sid"
    assert document_key("theme", "sid") == "theme:sid"
    assert named_document_key("sid", "name") == "doc:sid:name"
    assert page_key("id") == "page:id"
    assert session_page_key("sid", "id") == "pages:sid:id"


def test_a_queue_and_the_answers_to_one_request_are_prefixes_of_their_keys():
    assert request_key(CODE, "c1").startswith(requests_scope(CODE) + ":")
    assert response_key(CODE, "id", "c1").startswith(responses_scope(CODE) + ":")
    assert response_key(CODE, "id", "c1").startswith(response_prefix(CODE, "id"))
    assert journal_key("id", "c1").startswith(journal_prefix("id"))
    assert named_document_key("sid", "name").startswith(documents_prefix("sid"))
    assert session_page_key("sid", "id").startswith(session_pages_prefix("sid"))


def test_the_answers_to_one_request_are_not_those_of_a_longer_id():
    assert not response_key(CODE, "id2", "c1").startswith(response_prefix(CODE, "id"))


def test_a_cursor_is_the_last_part_of_its_key():
    assert cursor_of(request_key(CODE, "c1")) == "c1"
    assert cursor_of(response_key(CODE, "id", "c1")) == "c1"


def test_the_longest_key_fits():
    assert len(response_key(CODE, "i" * MAX_ID_LENGTH, "c" * 36)) <= KV_MAX_KEY_BYTES
    assert len(thread_key("r" * MAX_APP_ID_KEY_BYTES, "t" * MAX_APP_ID_KEY_BYTES)) <= KV_MAX_KEY_BYTES


def test_the_threads_of_a_resource_are_not_those_of_another():
    assert thread_key("a", "t").startswith(threads_prefix("a"))
    for other in ("ab", "a:b", "a:", "a%", "A"):
        assert not thread_key(other, "t").startswith(threads_prefix("a"))


def test_the_id_of_a_thread_is_read_from_its_key():
    for thread_id in ("t", "a:b", "%3A", "\u00e9 /", "~"):
        assert thread_id_of(thread_key("a:b", thread_id)) == thread_id
