"""Which model answers, and how it is reached: read once from the Worker's vars and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

DEFAULT_TIMEOUT_SECONDS = 30
MAX_TIMEOUT_SECONDS = 120
DEFAULT_OPENAI_BASE_URL = "https://api.openai.com/v1"
DEFAULT_WORKERS_AI_MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"

PROVIDERS = ("", "echo", "openai", "workers-ai")


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named way to answer: what the model is told first, and another model than the usual one."""

    instructions: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The values in force.

    `provider`: "openai", "workers-ai", "echo"; empty: the first of these three that is configured.
    `timeout_seconds`: how long it may be silent, before its first word and between two.
    `instructions`: what it is told before every conversation; `agents` may have their own.
    """

    provider: str = ""
    openai_base_url: str = DEFAULT_OPENAI_BASE_URL
    openai_model: str = ""
    openai_api_key: str = field(default="", repr=False)
    workers_ai_model: str = DEFAULT_WORKERS_AI_MODEL
    instructions: str = ""
    agents: Mapping[str, Agent] = field(default_factory=dict)
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


def read_model_settings(env: Mapping[str, str]) -> ModelSettings:
    """The settings that `env` holds.

    Raises:
        ValueError: one of them is unusable; the sentence says which, and never what was set.
    """
    provider = env.get("MODEL_PROVIDER", "").strip().lower()
    if provider not in PROVIDERS:
        raise ValueError(f"MODEL_PROVIDER must be one of {', '.join(PROVIDERS[1:])}, or empty.")
    base_url = env.get("OPENAI_BASE_URL", "").strip().rstrip("/") or DEFAULT_OPENAI_BASE_URL
    if not base_url.startswith(("https://", "http://")):
        raise ValueError("OPENAI_BASE_URL must begin with https:// (or http:// for a model on this machine).")
    wants_openai = provider == "openai" or (not provider and _names_openai(env))
    if wants_openai and not env.get("OPENAI_MODEL"):
        raise ValueError("OPENAI_MODEL must name the model to ask at OPENAI_BASE_URL.")
    return ModelSettings(
        provider=provider,
        openai_base_url=base_url,
        openai_model=env.get("OPENAI_MODEL", ""),
        openai_api_key=env.get("OPENAI_API_KEY", ""),
        workers_ai_model=env.get("WORKERS_AI_MODEL", "") or DEFAULT_WORKERS_AI_MODEL,
        instructions=env.get("INSTRUCTIONS", ""),
        agents=_agents(env.get("AGENTS", "")),
        timeout_seconds=_timeout(env.get("MODEL_TIMEOUT_SECONDS", "")),
    )


def _names_openai(env: Mapping[str, str]) -> bool:
    return bool(env.get("OPENAI_BASE_URL") or env.get("OPENAI_API_KEY"))


def _agents(text: str) -> Mapping[str, Agent]:
    try:
        return msgspec.json.decode(text, type=dict[str, Agent]) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise ValueError('AGENTS must be JSON like {"name": {"instructions": "…", "model": "…"}}.') from error


def _timeout(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if text and not 1 <= seconds <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"MODEL_TIMEOUT_SECONDS must be a whole number of seconds from 1 to {MAX_TIMEOUT_SECONDS}.")
    return seconds or DEFAULT_TIMEOUT_SECONDS
