"""Settings: defaults, words, numbers; problems are reported without the value that was set."""

from collections.abc import Callable

import pytest

from tests.support.addresses import ADDRESS
from waypost_worker.polling.plans import FREE, PAID, Plan
from waypost_worker.settings import NUMBERED_KEYS, WORDS, Settings, read_settings

KEY = "a-secret-of-32-characters-or-more"
OLD_KEY = "the-secret-before-it-of-32-or-more"
ENV = {"SIGNING_KEY": KEY}

NUMBERS = [
    ("SESSION_TTL_SECONDS", "seconds", 60, 86_400, lambda settings: settings.session_ttl_seconds),
    ("QUEUE_TTL_SECONDS", "seconds", 60, 86_400, lambda settings: settings.queue_ttl_seconds),
    ("CODE_LENGTH", "characters", 8, 16, lambda settings: settings.code_length),
    ("HISTORY_LIMIT", "messages", 1, 200, lambda settings: settings.history_limit),
    ("THREAD_TTL_SECONDS", "seconds", 3600, 31_536_000, lambda settings: settings.thread_ttl_seconds),
    ("THREAD_HISTORY_LIMIT", "messages", 1, 2000, lambda settings: settings.thread_history_limit),
    ("HISTORY_BYTES", "bytes", 65_536, 4_194_304, lambda settings: settings.history_bytes),
    ("MCP_HOST_GRACE_SECONDS", "seconds", 0, 60, lambda settings: settings.mcp_host_grace_seconds),
    ("MAX_STEPS", "replies", 1, 32, lambda settings: settings.max_steps),
    ("TOOL_SECONDS", "seconds", 1, 540, lambda settings: settings.tool_seconds),
    ("VOICE_SECONDS", "seconds", 3, 120, lambda settings: settings.voice_seconds),
    ("MODEL_TIMEOUT_SECONDS", "seconds", 1, 120, lambda settings: settings.model.timeout_seconds),
]
"""Name, unit, range, and where the number is found."""

NAMES = (
    *NUMBERED_KEYS,
    "SIGNING_KEY_PREVIOUS",
    "PLAN",
    "REQUIRE_TOKEN",
    "DIAGNOSTICS",
    "ALLOWED_ORIGINS",
    "APP_KEYS",
    "MODEL_PROVIDER",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_API_KEY",
    "WORKERS_AI_MODEL",
    "INSTRUCTIONS",
    "AGENTS",
    *(number[0] for number in NUMBERS),
)


def problem(**env: str) -> str:
    return read_settings(ENV | env).problem or ""


def test_a_signing_key_is_all_that_must_be_set():
    assert read_settings(ENV) == Settings(signing_keys=(KEY.encode(),), plan=FREE, plan_set="")


@pytest.mark.parametrize("name", NAMES)
def test_empty_is_the_same_as_not_set(name: str):
    assert read_settings(ENV | {name: ""}) == read_settings(ENV)


def test_nothing_but_the_key_needs_to_be_filled_in():
    assert read_settings(ENV | dict.fromkeys(NAMES, "")) == read_settings(ENV)


@pytest.mark.parametrize(("name", "unit", "least", "most", "number"), NUMBERS)
def test_a_number_is_taken_from_one_end_of_its_range_to_the_other(
    name: str, unit: str, least: int, most: int, number: Callable[[Settings], int]
):
    assert [number(read_settings(ENV | {name: str(value)})) for value in (least, least + 1, most)] == [
        least,
        least + 1,
        most,
    ]
    for value in (least - 1, most + 1, -most):
        assert problem(**{name: str(value)}) == f"{name} must be a whole number of {unit} from {least} to {most}."


@pytest.mark.parametrize(("name", "unit", "least", "most", "number"), NUMBERS)
@pytest.mark.parametrize(
    "text",
    ["-60", "6e2", "60.0", "1.5", " 60", " 1", "1_0", "0x8", "\u0668", "\u0666\u0660", "\u00b2", "ten", "9" * 5000]
    + ["0000000609999999", "60" + "0" * 20],
)
def test_what_is_no_whole_number_is_a_problem(
    name: str, unit: str, least: int, most: int, number: Callable[[Settings], int], text: str
):
    assert problem(**{name: text}) == f"{name} must be a whole number of {unit} from {least} to {most}."


def test_numbers_that_are_not_set_have_defaults():
    assert [number(read_settings(ENV)) for *_, number in NUMBERS] == [
        *(600, 3600, 8, 10),
        *(2_592_000, 200, 1_048_576),
        *(10, 8, 120, 12, 30),
    ]


@pytest.mark.parametrize(
    "name",
    ["SIGNING_KEY", "SIGNING_KEY_PREVIOUS", "PLAN", "REQUIRE_TOKEN", "MODEL_PROVIDER", "OPENAI_BASE_URL", "AGENTS"]
    + [number[0] for number in NUMBERS],
)
def test_no_problem_tells_what_was_set(name: str):
    settings = read_settings(ENV | {"OPENAI_MODEL": "gpt-x", name: "hunter2"})
    assert settings.problem
    assert "hunter2" not in repr(settings)
    assert KEY not in repr(settings)


def test_every_setting_is_read():
    assert read_settings({
        "SIGNING_KEY": KEY,
        "SIGNING_KEY_PREVIOUS": OLD_KEY,
        "PLAN": "free",
        "SESSION_TTL_SECONDS": "60",
        "QUEUE_TTL_SECONDS": "86400",
        "REQUIRE_TOKEN": "on",
        "ALLOWED_ORIGINS": "https://a.example, https://b.example",
        "DIAGNOSTICS": "1",
    }) == Settings(
        None,
        (KEY.encode(), OLD_KEY.encode()),
        FREE,
        "free",
        60,
        86_400,
        True,
        frozenset({"https://a.example", "https://b.example"}),
        True,
    )  # fmt: skip


AGENTS = f'{{"keeper": {{"session": "{ADDRESS}"}}, "poet": {{}}}}'
APP_KEYS = {"APP_KEYS": "an-app-key-of-this-app"}


def test_an_agent_may_have_a_tab_where_only_an_app_s_callers_can_ask_it():
    settings = read_settings(ENV | APP_KEYS | {"AGENTS": AGENTS})
    assert (settings.problem, settings.model.agents["keeper"].session) == (None, ADDRESS)
    assert ADDRESS not in repr(settings)
    assert problem(AGENTS=AGENTS) == (
        "AGENTS names a session, whose tools every caller could use: set the secret APP_KEYS, so that only the callers "
        "of your app can."
    )


def test_an_agent_has_no_tab_where_there_are_no_addresses():
    assert problem(**APP_KEYS, AGENTS=AGENTS, REQUIRE_TOKEN="once") == (
        "AGENTS names a session by its MCP address, and with REQUIRE_TOKEN = once there are none."
    )


@pytest.mark.parametrize(("plan", "pace"), [("", FREE), ("free", FREE), ("paid", PAID)])
def test_the_pace_is_one_that_a_free_account_survives_unless_the_plan_is_said_to_be_paid(plan: str, pace: Plan):
    settings = read_settings(ENV | {"PLAN": plan})
    assert (settings.plan, settings.plan_set) == (pace, plan)


@pytest.mark.parametrize("env", [{}, {"SIGNING_KEY": ""}, {"SIGNING_KEY_PREVIOUS": OLD_KEY}])
def test_without_a_signing_key_nothing_works(env: dict[str, str]):
    settings = read_settings(env)
    assert settings.signing_keys == ()
    assert "SIGNING_KEY is not set" in (settings.problem or "")


def test_the_numbered_key_with_the_highest_number_signs():
    second, tenth = "the-second-key-of-32-characters-or-more", "the-tenth-key-of-32-characters-or-more"
    numbered = {"SIGNING_KEY_2": second, "SIGNING_KEY_10": tenth}
    assert read_settings(numbered).signing_keys == (tenth.encode(), second.encode())
    everything = ENV | numbered | {"SIGNING_KEY_PREVIOUS": OLD_KEY}
    assert read_settings(everything).signing_keys == tuple(key.encode() for key in (tenth, second, KEY, OLD_KEY))
    assert read_settings(ENV | {"SIGNING_KEY_100": tenth}).signing_keys == (KEY.encode(),)


def test_a_key_that_stands_under_two_names_is_tried_once():
    env = ENV | {"SIGNING_KEY_2": OLD_KEY, "SIGNING_KEY_PREVIOUS": OLD_KEY}
    assert read_settings(env).signing_keys == (OLD_KEY.encode(), KEY.encode())


@pytest.mark.parametrize("name", ["SIGNING_KEY", "SIGNING_KEY_PREVIOUS", "SIGNING_KEY_2"])
def test_a_key_has_at_least_32_bytes(name: str):
    assert problem(**{name: "x" * 32}) == ""
    assert problem(**{name: "\u00e9" * 16}) == ""
    assert problem(**{name: "x" * 31}) == f"{name} needs at least 32 characters."


@pytest.mark.parametrize(("word", "meaning"), WORDS.items())
def test_on_and_off_have_several_words_in_any_case(word: str, meaning: bool):
    assert read_settings(ENV | {"REQUIRE_TOKEN": word.upper()}).require_token is meaning


@pytest.mark.parametrize(("name", "words"), [("REQUIRE_TOKEN", "once, on or off"), ("DIAGNOSTICS", "on or off")])
@pytest.mark.parametrize("word", ["ture", "2", " on", "yes!", "\u0131", "onc", "once!"])
def test_a_word_that_means_nothing_does_not_mean_off(name: str, words: str, word: str):
    assert problem(**{name: word}) == f"{name} must be {words}."


def test_once_is_a_word_of_its_own_that_asks_for_tokens_too():
    for word in ("once", "ONCE"):
        settings = read_settings(ENV | {"REQUIRE_TOKEN": word})
        assert (settings.code_joins_once, settings.require_token) == (True, True)
    for word in ("on", "off", ""):
        assert not read_settings(ENV | {"REQUIRE_TOKEN": word}).code_joins_once
    assert problem(DIAGNOSTICS="once") == "DIAGNOSTICS must be on or off."


def test_a_plan_that_nobody_sells_is_a_problem():
    assert problem(PLAN="enterprise") == "PLAN must be one of free, paid."


def test_app_keys_are_separated_by_spaces_or_commas():
    keys = "the-first-app-key, the-second-app-key"
    assert read_settings(ENV | {"APP_KEYS": keys}).app_keys == ("the-first-app-key", "the-second-app-key")


def test_an_app_key_has_at_least_16_characters():
    assert problem(APP_KEYS="x" * 16) == ""
    assert problem(APP_KEYS=f"the-first-app-key {'x' * 15}") == "Each of APP_KEYS needs at least 16 characters."


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "http://localhost:3000",
        "https://[::1]:8443",
        "chrome-extension://abcdef",
        "tauri://localhost",
    ],
)
def test_an_origin_is_allowed_as_browsers_send_it(origin: str):
    assert read_settings(ENV | {"ALLOWED_ORIGINS": origin}).allowed_origins == {origin}


@pytest.mark.parametrize(
    "entries", ["*", "null", "https://*.app.example http://localhost:*", "moz-extension://*,https://a.example"]
)
def test_an_origin_may_be_a_pattern(entries: str):
    assert read_settings(ENV | {"ALLOWED_ORIGINS": entries}).allowed_origins == set(entries.replace(",", " ").split())


def test_an_entry_that_is_no_origin_is_told_by_its_number_and_not_repeated():
    for number, wrong in enumerate(["app.secret.example", "https://app.secret.example/", "https://*.secret"], 1):
        entries = ["https://a.example"] * (number - 1) + [wrong, "https://b.example"]
        told = problem(ALLOWED_ORIGINS=", ".join(entries))
        assert told.startswith(f"Entry {number} of ALLOWED_ORIGINS ")
        assert "secret" not in told
        assert told.endswith(".")


@pytest.mark.parametrize("level", ["error", "problem", "request"])
def test_the_log_has_a_level(level: str):
    assert read_settings({**ENV, "LOG_LEVEL": level}).log_level == level


@pytest.mark.parametrize("env", [{}, {"LOG_LEVEL": ""}])
def test_unless_one_is_set_every_request_is_logged(env: dict[str, str]):
    assert read_settings({**ENV, **env}).log_level == "request"


@pytest.mark.parametrize("level", ["debug", "Error", "request "])
def test_a_level_that_there_is_not_is_refused(level: str):
    assert read_settings({**ENV, "LOG_LEVEL": level}).problem == "LOG_LEVEL must be one of error, problem, request."
