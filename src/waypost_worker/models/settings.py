"""The model's settings, read once from the Worker's vars and secrets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from waypost_worker.ids import is_mcp_address
from waypost_worker.limits import (
    DEFAULT_MODEL_TIMEOUT_SECONDS,
    DEFAULT_PROMPT_BUDGET,
    MAX_MODEL_TIMEOUT_SECONDS,
    MAX_PROMPT_BUDGET,
    MIN_PROMPT_BUDGET,
)

DEFAULT_OPENAI_BASE_URL = "https://api.openai.com/v1"
DEFAULT_WORKERS_AI_MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"

BASE_URL = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?(/[a-z0-9._~!$&'()*+,;=:@%/-]*)?", re.I)

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.1"""

CONNECTION_HEADERS = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"})

QUERY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""https://www.rfc-editor.org/rfc/rfc3986#section-3.4"""

OWN_PARAMETERS = frozenset({"messages", "model", "n", "stream", "tools"})
"""Fields of a request to a model that are not the operator's to choose."""

PROVIDERS = ("echo", "openai", "workers-ai")

PARTS = ("text", "images", "any")
"""Parts of messages that a model is given: text alone; also images in `data:` URLs; or all, as they are."""


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named agent: its own instructions and its own model; `None` takes those of the deployment.

    `session`: the MCP address of a tab whose tools the agent has. It opens the tab: show it to no caller.
    """

    instructions: str | None = None
    model: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model's settings.

    `provider`: "openai", "workers-ai" or "echo".
    `timeout_seconds`: how long the service may be silent, before its first text and between two.
    `openai_headers` and `openai_query`: sent with each request to it; header names are in lower case.
    `parameters`: fields of each request besides the model and the messages, such as `temperature`.
    `parts`: one of `PARTS`. `prompt_budget`: characters of a prompt without the instructions.
    `instructions`: the system message before every conversation; `agents` may have their own.
    """

    provider: str = "echo"
    openai_base_url: str = DEFAULT_OPENAI_BASE_URL
    openai_model: str = ""
    openai_api_key: str = field(default="", repr=False)
    workers_ai_model: str = DEFAULT_WORKERS_AI_MODEL
    instructions: str = ""
    agents: Mapping[str, Agent] = field(default_factory=dict, repr=False)
    timeout_seconds: int = DEFAULT_MODEL_TIMEOUT_SECONDS
    parts: str = "images"
    prompt_budget: int = DEFAULT_PROMPT_BUDGET
    openai_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    openai_query: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)


def read_model_settings(env: Mapping[str, str], *, has_ai: bool = False) -> ModelSettings:
    """Reads the settings from `env`. `has_ai`: the Worker has a binding to Workers AI.

    Without MODEL_PROVIDER the provider is the first of these that is configured: an OpenAI-compatible service, Workers
    AI, echo.

    Raises:
        ValueError: a setting is unusable; the sentence names it, and never contains its value.
    """
    openai_model = env.get("OPENAI_MODEL", "").strip()
    provider = _provider(env, has_ai=has_ai)
    if provider == "openai" and not openai_model:
        raise ValueError("OPENAI_MODEL must name the model to ask at OPENAI_BASE_URL.")
    return ModelSettings(
        provider=provider,
        openai_base_url=_base_url(env.get("OPENAI_BASE_URL", "")),
        openai_model=openai_model,
        openai_api_key=_api_key(env.get("OPENAI_API_KEY", "")),
        openai_headers=_headers(env.get("OPENAI_HEADERS", "")),
        openai_query=_query(env.get("OPENAI_QUERY", "")),
        parameters=_parameters(env.get("MODEL_PARAMETERS", "")),
        workers_ai_model=env.get("WORKERS_AI_MODEL", "").strip() or DEFAULT_WORKERS_AI_MODEL,
        instructions=env.get("INSTRUCTIONS", ""),
        agents=_agents(env.get("AGENTS", "")),
        timeout_seconds=_timeout(env.get("MODEL_TIMEOUT_SECONDS", "")),
        parts=_parts(env.get("MODEL_PARTS", "")),
        prompt_budget=_prompt_budget(env.get("PROMPT_BUDGET", "")),
    )


def _provider(env: Mapping[str, str], *, has_ai: bool) -> str:
    provider = env.get("MODEL_PROVIDER", "").strip().lower()
    if provider not in ("", *PROVIDERS):
        raise ValueError(f"MODEL_PROVIDER must be one of {', '.join(PROVIDERS)}, or empty.")
    if provider == "workers-ai" and not has_ai:
        raise ValueError("MODEL_PROVIDER says workers-ai, and the Worker has no binding AI.")
    names_openai = any(env.get(name, "").strip() for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"))
    return provider or ("openai" if names_openai else "workers-ai" if has_ai else "echo")


def _base_url(text: str) -> str:
    url = text.strip().rstrip("/") or DEFAULT_OPENAI_BASE_URL
    if not BASE_URL.fullmatch(url):
        raise ValueError("OPENAI_BASE_URL must be a URL like https://api.openai.com/v1, without a user or a query.")
    return url


def _api_key(text: str) -> str:
    key = text.strip()
    # The runtime would refuse it as a header, with an error that contains it.
    if not all("!" <= character <= "~" for character in key):
        raise ValueError("OPENAI_API_KEY has characters that no key has.")
    return key


def _headers(text: str) -> Mapping[str, str]:
    try:
        headers = msgspec.json.decode(text, type=dict[str, str]) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise ValueError('OPENAI_HEADERS must be JSON like {"api-key": "…"}.') from error
    for name, value in headers.items():
        # The runtime would refuse them with an error that contains them.
        if not HEADER_NAME.fullmatch(name) or not all(" " <= character <= "~" for character in value):
            raise ValueError("OPENAI_HEADERS has a name or a value that no HTTP header can have.")
        if name.lower() in CONNECTION_HEADERS:
            raise ValueError(f"OPENAI_HEADERS must not have {name}.")
    return {name.lower(): value.strip() for name, value in headers.items()}


def _query(text: str) -> str:
    query = text.strip().removeprefix("?")
    if not QUERY.fullmatch(query):
        raise ValueError("OPENAI_QUERY must be a query like api-version=2024-10-21, percent-encoded.")
    return query


def _parameters(text: str) -> Mapping[str, Any]:
    try:
        parameters = msgspec.json.decode(text, type=dict[str, Any]) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise ValueError('MODEL_PARAMETERS must be JSON like {"temperature": 0.2}.') from error
    if taken := sorted(OWN_PARAMETERS & parameters.keys()):
        raise ValueError(f"MODEL_PARAMETERS must not have {', '.join(taken)}.")
    return parameters


def _agents(text: str) -> Mapping[str, Agent]:
    try:
        agents = msgspec.json.decode(text, type=dict[str, Agent]) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise ValueError('AGENTS must be JSON like {"name": {"instructions": "…", "model": "…"}}.') from error
    for agent in agents.values():
        if agent.session is not None and not is_mcp_address(agent.session):
            raise ValueError(
                "A session in AGENTS must be an MCP address: the 32 small letters and digits behind /mcp/ that the "
                "console shows. A code does not last."
            )
    return agents


def _parts(text: str) -> str:
    parts = text.strip().lower() or "images"
    if parts not in PARTS:
        raise ValueError(f"MODEL_PARTS must be one of {', '.join(PARTS)}, or empty.")
    return parts


def _prompt_budget(text: str) -> int:
    characters = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if text and not MIN_PROMPT_BUDGET <= characters <= MAX_PROMPT_BUDGET:
        raise ValueError(
            f"PROMPT_BUDGET must be a whole number of characters from {MIN_PROMPT_BUDGET} to {MAX_PROMPT_BUDGET}."
        )
    return characters or DEFAULT_PROMPT_BUDGET


def _timeout(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if text and not 1 <= seconds <= MAX_MODEL_TIMEOUT_SECONDS:
        raise ValueError(
            f"MODEL_TIMEOUT_SECONDS must be a whole number of seconds from 1 to {MAX_MODEL_TIMEOUT_SECONDS}."
        )
    return seconds or DEFAULT_MODEL_TIMEOUT_SECONDS
