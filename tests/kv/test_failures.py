"""The platform's failures are told apart by their texts."""

import pytest

from waypost_worker.kv.failures import OPERATIONS, failure_of
from waypost_worker.kv.store import DailyLimitReached, InvocationLimitReached, KvError


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "text",
    [
        "Error: KV {}() limit exceeded for the day.",
        "KV {}() limit exceeded for the day",
        "Error: KV {} failed: 429 your account has reached the free usage limit for this operation for today",
    ],
)
def test_the_text_says_which_operations_are_used_up(operation: str, text: str):
    failure = failure_of(text.format(operation), "another")
    assert isinstance(failure, DailyLimitReached)
    assert failure.operation == operation


def test_a_text_that_names_no_operation_is_about_the_one_that_failed():
    failure = failure_of("A request to the Cloudflare API failed. [code: 10048]", "put")
    assert isinstance(failure, DailyLimitReached)
    assert failure.operation == "put"


@pytest.mark.parametrize(
    "text",
    [
        "Error: Too many API requests by single Worker invocation. To configure this limit, refer to https://x",
        "Too many subrequests.",
    ],
)
def test_the_limit_of_an_invocation_is_recognised(text: str):
    assert isinstance(failure_of(text, "get"), InvocationLimitReached)


@pytest.mark.parametrize(
    "text",
    [
        "Error: KV PUT failed: 429 Too Many Requests",
        "Error: KV GET failed: 503 Service Unavailable",
        "Error: KV GET failed: 500 Internal Server Error",
        "Error: Network connection lost.",
        "Error: KV PUT failed: 413 Value length of 110048 exceeds limit of 26214400.",
        "",
    ],
)
def test_all_else_may_be_tried_again(text: str):
    failure = failure_of(text, "put")
    assert type(failure) is KvError
    assert str(failure) == text
