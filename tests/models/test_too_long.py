"""A prompt that is too long for the model: what services say then, and what they say about something else."""

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock, run
from tests.support.fake_http import JSON, FakeHttp, Reply
from waypost_worker.errors import ModelError, ModelFailed, PromptTooLong
from waypost_worker.models.service import request_completion
from waypost_worker.models.too_long import refused
from waypost_worker.models.transport import FetchedResponse

# As they are reported, in their services' issue trackers.
TOO_LONG = {
    "openai": '{"error":{"message":"This model\'s maximum context length is 4096 tokens. However, you requested 4201 '
    'tokens (3177 in the messages, 1024 in the completion).","type":"invalid_request_error","param":"messages",'
    '"code":"context_length_exceeded"}}',
    "openai responses": '{"error":{"message":"Your input exceeds the context window of this model."}}',
    "azure": '{"error":{"message":"Input tokens exceed the configured limit of 272000 tokens. Your messages resulted '
    'in 509178 tokens. Please reduce the length of the messages."}}',
    "vllm": '{"object":"error","message":"This model\'s maximum context length is 2048 tokens.","code":400}',
    "llama.cpp": '{"error":{"code":400,"message":"the request exceeds the available context size. try increasing the '
    'context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}}',
    "ollama": '{"error":{"message":"the input length exceeds the context length"}}',
    "mistral": '{"object":"error","message":"Prompt contains 65673 tokens, too large for model with 32768 maximum '
    'context length","type":"invalid_request_error","code":"3051"}',
    "anthropic": '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 205106 tokens '
    '> 200000 maximum"}}',
    "gemini": '[{"error":{"code":400,"message":"The input token count (317740) exceeds the maximum number of tokens '
    'allowed (131072).","status":"INVALID_ARGUMENT"}}]',
    "xai": '{"error":"This model\'s maximum prompt length is 131072 but the request contains 537812 tokens."}',
    "groq": '{"error":{"message":"Please reduce the length of the messages or completion."}}',
    "tgi": '{"error":"Input validation error: `inputs` must have less than 1024 tokens. Given: 1234"}',
    "lm studio": '{"error":"Trying to keep the first 111490 tokens when context the overflows. However, the model is '
    'loaded with context length of only 32768 tokens, which is not enough."}',
    "workers ai": '{"errors":[{"message":"AiError: The estimated number of input and maximum output tokens (70000) '
    'exceeded this model context window limit (24000).","code":5021}]}',
}
OTHER = [
    '{"error":{"message":"max_tokens is too large: 262144. This model supports at most 4096 completion tokens."}}',
    '{"error":{"message":"Rate limit reached for requests","code":"rate_limit_exceeded"}}',
    '{"object":"error","message":"Conversation roles must alternate user/assistant/user/assistant/...","code":400}',
    '{"error":{"message":"The model `gpt-x` does not exist","code":"model_not_found"}}',
    "",
]


def failure(reply: Reply) -> tuple[ModelError, int]:
    """How the question fails, and how often it was sent."""
    http = FakeHttp(reply, reply)

    async def send() -> FetchedResponse:
        return await http.post("https://model.example", {}, b"{}", 30)

    async def listen() -> None:
        async for _ in request_completion(send, VirtualClock(), SeededRandom(0), print):
            pass

    with pytest.raises(ModelError) as caught:
        run(listen())
    return caught.value, len(http.sent)


@pytest.mark.parametrize("name", TOO_LONG)
@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_each_service_s_refusal_of_a_long_prompt_is_recognised_and_not_sent_again(name: str, status: int):
    error, sent = failure(Reply([TOO_LONG[name].encode()], status, JSON))
    assert isinstance(error, PromptTooLong)
    assert sent == 1


@pytest.mark.parametrize("body", [b"data: %s\n\n", b"event: error\ndata: %s\n\n"])
def test_a_refusal_within_the_stream_is_recognised_too(body: bytes):
    stream = Reply([body % TOO_LONG["llama.cpp"].encode()], 200, {"content-type": "text/event-stream"})
    assert isinstance(failure(stream)[0], PromptTooLong)


@pytest.mark.parametrize("text", OTHER)
def test_other_refusals_are_no_long_prompt(text: str):
    assert type(refused("No.", text)) is ModelFailed
