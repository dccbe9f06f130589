"""The settings of a deployment, read once from the Worker's vars and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waypost_worker.http.origins import fault_of
from waypost_worker.limits import (
    DEFAULT_CONVERSATION_TTL_SECONDS,
    DEFAULT_HISTORY_BYTES,
    DEFAULT_HISTORY_LIMIT,
    DEFAULT_MAX_STEPS,
    DEFAULT_MCP_HOST_GRACE_SECONDS,
    DEFAULT_QUEUE_TTL_SECONDS,
    DEFAULT_SESSION_TTL_SECONDS,
    DEFAULT_THREAD_HISTORY_LIMIT,
    DEFAULT_TOOL_SECONDS,
    DEFAULT_VOICE_SECONDS,
    KV_MIN_TTL_SECONDS,
    MAX_CODE_LENGTH,
    MAX_HISTORY_BYTES,
    MAX_HISTORY_LIMIT,
    MAX_MAX_STEPS,
    MAX_SESSION_AGE_SECONDS,
    MAX_THREAD_HISTORY_LIMIT,
    MAX_THREAD_TTL_SECONDS,
    MAX_TOOL_SECONDS,
    MAX_VOICE_SECONDS,
    MAX_WAIT_SECONDS,
    MIN_APP_KEY_LENGTH,
    MIN_CODE_LENGTH,
    MIN_HISTORY_BYTES,
    MIN_SIGNING_KEY_BYTES,
    MIN_VOICE_SECONDS,
    THREAD_TTL_SECONDS,
)
from waypost_worker.models.settings import ModelSettings, read_model_settings
from waypost_worker.polling.plans import FREE, PAID, PLANS, Plan
from waypost_worker.telemetry.request_log import DEFAULT_LEVEL, LEVELS

WORDS = {
    "": False,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
}
ONCE = "once"

NUMBERED_KEYS = tuple(f"SIGNING_KEY_{number}" for number in range(99, 1, -1))
"""Secrets that `make rotate-key` sets, the highest number first. Cloudflare does not show the value of a secret again,
so a key is replaced by one of another name beside it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The values that apply to this deployment.

    `problem`: why the service refuses to run, as a sentence for its operator; it never contains a value that was set.
    `plan`: the pace; `plan_set`: what the setting says, which is empty where nothing is set, and then the pace is the
    free plan's.
    `signing_keys`: the first one signs, all are accepted. It has the highest number; `SIGNING_KEY` counts as 1.
    `require_token`: a code alone only lets a guest join; everything else needs the token that joining returns.
    `code_joins_once`: a code admits one guest only; `require_token` is then true as well.
    `code_length`: characters of new session codes, 5 bits each; codes of every valid length are accepted.
    `allowed_origins`: whose pages may call the API, besides the Worker's own: origins and patterns (http/origins.py).
    `conversation_ttl_seconds`, `history_limit`: how long a conversation is kept after its last message, and how many of
    its messages. `thread_ttl_seconds`, `thread_history_limit`: the same of threads, and of their conversations.
    `history_bytes`: how many bytes of either kind of conversation are kept.
    `app_keys`: if there are any, threads need one of them, or a token for their resource.
    `mcp_host_grace_seconds`: how long an MCP call waits for a tab that is not connected.
    `max_steps`: replies of a model within one answer. `tool_seconds`: how long an answer waits for one call of a tool.
    `voice_seconds`: how long a voice agent's answer that may use a tab's tools may take.
    `log_level`: which requests have a line in the log: "error" (those on which the service failed), "problem" (all that
    got a problem), "request" (all).
    `diagnostics`: serve counts of live objects under `/debug`, for local tests.
    """

    problem: str | None = None
    signing_keys: tuple[bytes, ...] = ()
    plan: Plan = PAID
    plan_set: str = PAID.name
    session_ttl_seconds: int = DEFAULT_SESSION_TTL_SECONDS
    queue_ttl_seconds: int = DEFAULT_QUEUE_TTL_SECONDS
    require_token: bool = False
    allowed_origins: frozenset[str] = frozenset()
    diagnostics: bool = False
    conversation_ttl_seconds: int = DEFAULT_CONVERSATION_TTL_SECONDS
    history_limit: int = DEFAULT_HISTORY_LIMIT
    thread_ttl_seconds: int = THREAD_TTL_SECONDS
    thread_history_limit: int = DEFAULT_THREAD_HISTORY_LIMIT
    history_bytes: int = DEFAULT_HISTORY_BYTES
    app_keys: tuple[str, ...] = ()
    mcp_host_grace_seconds: int = DEFAULT_MCP_HOST_GRACE_SECONDS
    max_steps: int = DEFAULT_MAX_STEPS
    tool_seconds: int = DEFAULT_TOOL_SECONDS
    voice_seconds: int = DEFAULT_VOICE_SECONDS
    model: ModelSettings = field(default_factory=ModelSettings)
    code_joins_once: bool = False
    code_length: int = MIN_CODE_LENGTH
    log_level: str = DEFAULT_LEVEL


def read_settings(env: Mapping[str, str], *, has_ai: bool = False) -> Settings:
    """The settings in `env`. A missing or empty one has its default; an invalid one is described in `problem`.

    `has_ai`: the Worker has a binding to Workers AI.
    """
    try:
        settings = Settings(
            signing_keys=_signing_keys(env),
            plan=PLANS[_plan_set(env) or FREE.name],
            plan_set=_plan_set(env),
            session_ttl_seconds=_seconds(env, "SESSION_TTL_SECONDS", DEFAULT_SESSION_TTL_SECONDS),
            queue_ttl_seconds=_seconds(env, "QUEUE_TTL_SECONDS", DEFAULT_QUEUE_TTL_SECONDS),
            require_token=_is_once(env) or _is_on(env, "REQUIRE_TOKEN", ONCE),
            code_joins_once=_is_once(env),
            code_length=_number(env, "CODE_LENGTH", MIN_CODE_LENGTH, MIN_CODE_LENGTH, MAX_CODE_LENGTH, "characters"),
            allowed_origins=_origins(env),
            diagnostics=_is_on(env, "DIAGNOSTICS"),
            conversation_ttl_seconds=_seconds(env, "CONVERSATION_TTL_SECONDS", DEFAULT_CONVERSATION_TTL_SECONDS),
            history_limit=_number(env, "HISTORY_LIMIT", DEFAULT_HISTORY_LIMIT, 1, MAX_HISTORY_LIMIT, "messages"),
            thread_ttl_seconds=_number(
                env, "THREAD_TTL_SECONDS", THREAD_TTL_SECONDS, 3600, MAX_THREAD_TTL_SECONDS, "seconds"
            ),
            thread_history_limit=_number(
                env, "THREAD_HISTORY_LIMIT", DEFAULT_THREAD_HISTORY_LIMIT, 1, MAX_THREAD_HISTORY_LIMIT, "messages"
            ),
            history_bytes=_number(
                env, "HISTORY_BYTES", DEFAULT_HISTORY_BYTES, MIN_HISTORY_BYTES, MAX_HISTORY_BYTES, "bytes"
            ),
            app_keys=_app_keys(env),
            mcp_host_grace_seconds=_number(
                env, "MCP_HOST_GRACE_SECONDS", DEFAULT_MCP_HOST_GRACE_SECONDS, 0, MAX_WAIT_SECONDS, "seconds"
            ),
            max_steps=_number(env, "MAX_STEPS", DEFAULT_MAX_STEPS, 1, MAX_MAX_STEPS, "replies"),
            tool_seconds=_number(env, "TOOL_SECONDS", DEFAULT_TOOL_SECONDS, 1, MAX_TOOL_SECONDS, "seconds"),
            voice_seconds=_number(
                env, "VOICE_SECONDS", DEFAULT_VOICE_SECONDS, MIN_VOICE_SECONDS, MAX_VOICE_SECONDS, "seconds"
            ),
            model=read_model_settings(env, has_ai=has_ai),
            log_level=_log_level(env),
        )
        _check_tabs_of_agents(settings)
    except ValueError as error:
        return Settings(problem=str(error), plan=FREE, plan_set="")
    return settings


def _check_tabs_of_agents(settings: Settings) -> None:
    if all(agent.session is None for agent in settings.model.agents.values()):
        return
    if settings.code_joins_once:
        raise ValueError("AGENTS names a session by its MCP address, and with REQUIRE_TOKEN = once there are none.")
    # Threads are open to all callers without a key, and so would the tab be.
    if not settings.app_keys:
        raise ValueError(
            "AGENTS names a session, whose tools every caller could use: set the secret APP_KEYS, so that only the "
            "callers of your app can."
        )


def _signing_keys(env: Mapping[str, str]) -> tuple[bytes, ...]:
    signing = {name: env[name].encode() for name in (*NUMBERED_KEYS, "SIGNING_KEY") if env.get(name)}
    if not signing:
        raise ValueError(
            f"The secret SIGNING_KEY is not set; it needs at least {MIN_SIGNING_KEY_BYTES} random characters."
        )
    previous = env.get("SIGNING_KEY_PREVIOUS")
    keys = signing | ({"SIGNING_KEY_PREVIOUS": previous.encode()} if previous else {})
    for name, key in keys.items():
        if len(key) < MIN_SIGNING_KEY_BYTES:
            raise ValueError(f"{name} needs at least {MIN_SIGNING_KEY_BYTES} characters.")
    # While a key is replaced, the same one may stand under two names.
    return tuple(dict.fromkeys(keys.values()))


def _plan_set(env: Mapping[str, str]) -> str:
    name = env.get("PLAN", "")
    if name and name not in PLANS:
        raise ValueError(f"PLAN must be one of {', '.join(sorted(PLANS))}.")
    return name


def _log_level(env: Mapping[str, str]) -> str:
    level = env.get("LOG_LEVEL") or DEFAULT_LEVEL
    if level not in LEVELS:
        raise ValueError(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.")
    return level


def _is_once(env: Mapping[str, str]) -> bool:
    return env.get("REQUIRE_TOKEN", "").lower() == ONCE


def _is_on(env: Mapping[str, str], name: str, *more: str) -> bool:
    # An unknown word must not silently mean "off": REQUIRE_TOKEN=ture would open every session.
    word = env.get(name, "").lower()
    if word not in WORDS:
        raise ValueError(f"{name} must be {', '.join((*more, 'on'))} or off.")
    return WORDS[word]


def _origins(env: Mapping[str, str]) -> frozenset[str]:
    entries = env.get("ALLOWED_ORIGINS", "").replace(",", " ").split()
    for number, entry in enumerate(entries, 1):
        # A text that is no origin would silently allow nothing.
        if fault := fault_of(entry):
            raise ValueError(f"Entry {number} of ALLOWED_ORIGINS {fault}.")
    return frozenset(entries)


def _app_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    keys = tuple(env.get("APP_KEYS", "").replace(",", " ").split())
    if any(len(key) < MIN_APP_KEY_LENGTH for key in keys):
        raise ValueError(f"Each of APP_KEYS needs at least {MIN_APP_KEY_LENGTH} characters.")
    return keys


def _seconds(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(env, name, default, KV_MIN_TTL_SECONDS, MAX_SESSION_AGE_SECONDS, "seconds")


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int, unit: str) -> int:
    text = env.get(name) or str(default)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not least <= number <= most:
        raise ValueError(f"{name} must be a whole number of {unit} from {least} to {most}.")
    return number
