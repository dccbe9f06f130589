"""Recognises what services say about tools that a model can't call, or could not call this time. There is no common
code: each phrase is of the service beside it."""

import re

NO_TOOLS = "The model can't use tools: its service refuses them. Ask without a session, or choose another model."

_PHRASES = (
    r"(does not|doesn't|do not|don't) support (the use of )?(tools|tool[ _-]?(use|call)|function[ _-]?call)",  # Ollama
    r"(tool[ _-]?(use|calls?|calling)|function[ _-]?call(s|ing)?|tools`?) (is|are) not (supported|enabled)",  # Groq
    r"no endpoints found that support (tool use|the provided 'tool)",  # OpenRouter
    r"requires? --enable-auto-tool-choice",  # vLLM
    r"tools param requires --jinja",  # llama.cpp
    r"unsupported param: tools",  # llama.cpp before January 2025
)
_NO_TOOLS = re.compile("|".join(_PHRASES), re.IGNORECASE)

_FAILED_CALL = "tool_use_failed"
"""Groq's code for a call that its model wrote in a form that can't be read."""


def can_call_no_tools(log_detail: str) -> bool:
    """Whether a service refused a request for its tools, whichever they are."""
    return _NO_TOOLS.search(log_detail) is not None


def is_failed_call(log_detail: str) -> bool:
    """Whether a model's call failed by chance: another attempt may succeed."""
    return _FAILED_CALL in log_detail
