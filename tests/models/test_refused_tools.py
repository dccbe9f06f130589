"""What a service says when it can't take tools, or when its model could not call one this time."""

import json

import pytest

from waypost_worker.models.refused_tools import can_call_no_tools, is_failed_call


@pytest.mark.parametrize(
    "said",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        "tools param requires --jinja flag",
        "Unsupported param: tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai",
        "No endpoints found that support the provided 'tool_choice' value.",
        "`tools` is not supported with this model",
        "tool calling is not supported with this model",
        "deepseek-reasoner does not support Function Calling",
        "Function calling is not enabled for this model",
        "This model doesn't support the use of tools",
    ],
)
def test_a_refusal_of_tools_is_known_by_what_services_say(said: str):
    assert can_call_no_tools(json.dumps({"error": {"message": said}}))


@pytest.mark.parametrize(
    "said",
    ["Invalid schema for function 'add_note'", "tool_choice is only allowed with tools", "does not support images", ""],
)
def test_another_refusal_is_not_one_of_tools(said: str):
    assert not can_call_no_tools(said)


def test_a_call_that_failed_by_chance_is_known_by_its_code():
    assert is_failed_call('{"error":{"message":"Failed to call a function.","code":"tool_use_failed"}}')
    assert not is_failed_call('{"error":{"code":"invalid_request_error"}}')
