"""Recognises the refusal of a prompt that is longer than the model's context, as services word it. There is no common
code: each phrase is of the service beside it."""

import re

from waypost_worker.errors import ModelFailed, PromptTooLong

_PHRASES = (
    r"context_length_exceeded",  # OpenAI, Azure, Groq, DeepSeek
    r"maximum context length",  # the same; vLLM, Mistral, OpenRouter, Workers AI
    r"exceeds? the context (window|length)",  # OpenAI, Ollama
    r"exceed_context_size_error",  # llama.cpp
    r"exceeds the available context size",  # llama.cpp before September 2025
    r"model context window limit",  # Workers AI
    r"input tokens exceed the configured limit",  # Azure
    r"prompt is too long",  # Anthropic, and gateways to it
    r"exceed context limit",  # Anthropic
    r"input is too long for requested model",  # Bedrock
    r"input token count .{0,40}exceeds the maximum",  # Gemini
    r"maximum prompt length is",  # xAI
    r"reduce the length of the messages",  # Groq, Azure
    r"reduce your message size",  # Groq, over the tokens of a minute
    r"inputs?` must have less than",  # Text Generation Inference
    r"inputs?` tokens \+ `max_new_tokens` must be",  # Text Generation Inference
    r"too long to fit into the model",  # vLLM
    r"loaded with context length of only",  # LM Studio
    r"greater than the context length",  # LM Studio
    r"prompt too long",  # Ollama
    r"context window exceeds limit",  # MiniMax
    r"exceeded model token limit",  # Moonshot
)
_TOO_LONG = re.compile("|".join(_PHRASES), re.IGNORECASE | re.DOTALL)


def refused(sentence: str, log_detail: str) -> ModelFailed | PromptTooLong:
    """The error for what a service said instead of an answer: `PromptTooLong` if it says so, else `ModelFailed`."""
    if _TOO_LONG.search(log_detail):
        return PromptTooLong("The conversation is longer than the model takes.", log_detail)
    return ModelFailed(sentence, log_detail)
