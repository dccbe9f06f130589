"""Settings of the model: the provider, the defaults, and problems, reported without the value that was set."""

import json

import pytest

from tests.support.addresses import ADDRESS
from waypost_worker.models.settings import (
    DEFAULT_OPENAI_BASE_URL,
    DEFAULT_WORKERS_AI_MODEL,
    Agent,
    ModelSettings,
    read_model_settings,
)
from waypost_worker.settings import read_settings

OPENAI = {"MODEL_PROVIDER": "openai", "OPENAI_MODEL": "gpt-x"}
WORDS = (
    "MODEL_PROVIDER",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_API_KEY",
    "WORKERS_AI_MODEL",
    "AGENTS",
    "MODEL_PARTS",
)
"""Settings that have no white space around them."""


def problem(env: dict[str, str], *, has_ai: bool = False) -> str:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$") as caught:
        read_model_settings(env, has_ai=has_ai)
    return str(caught.value)


def test_nothing_needs_to_be_set():
    assert read_model_settings({}) == ModelSettings(
        "echo", DEFAULT_OPENAI_BASE_URL, "", "", DEFAULT_WORKERS_AI_MODEL, "", {}, 30
    )


def test_a_blank_is_the_same_as_not_set():
    assert read_model_settings(dict.fromkeys(WORDS, " ")) == read_model_settings({})


def test_every_setting_of_the_model_is_read():
    env = {
        "MODEL_PROVIDER": "workers-ai",
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/",
        "OPENAI_MODEL": " gpt-x ",
        "OPENAI_API_KEY": " sk-1\n",
        "WORKERS_AI_MODEL": " @cf/x ",
        "INSTRUCTIONS": "Be brief.",
        "AGENTS": '{"poet": {"instructions": "Rhyme.", "model": "gpt-y"}, "plain": {}}',
        "MODEL_TIMEOUT_SECONDS": "120",
    }
    agents = {"poet": Agent("Rhyme.", "gpt-y"), "plain": Agent()}
    assert read_model_settings(env, has_ai=True) == ModelSettings(
        "workers-ai", "http://127.0.0.1:11434/v1", "gpt-x", "sk-1", "@cf/x", "Be brief.", agents, 120
    )


@pytest.mark.parametrize(
    ("env", "has_ai", "provider"),
    [
        ({}, False, "echo"),
        ({}, True, "workers-ai"),
        ({"OPENAI_MODEL": "gpt-x"}, False, "echo"),
        ({"OPENAI_MODEL": "gpt-x", "OPENAI_API_KEY": "sk-1"}, False, "openai"),
        ({"OPENAI_MODEL": "gpt-x", "OPENAI_BASE_URL": "http://localhost"}, True, "openai"),
        ({"MODEL_PROVIDER": "echo", "OPENAI_API_KEY": "sk-1"}, True, "echo"),
        ({"MODEL_PROVIDER": " OpenAI ", "OPENAI_MODEL": "gpt-x"}, True, "openai"),
        ({"MODEL_PROVIDER": "workers-ai", "OPENAI_API_KEY": "sk-1"}, True, "workers-ai"),
    ],
)
def test_the_provider_is_the_one_that_is_named_or_the_first_that_is_configured(
    env: dict[str, str], has_ai: bool, provider: str
):
    assert read_model_settings(env, has_ai=has_ai).provider == provider


def test_a_provider_that_nobody_knows_is_a_problem():
    assert problem({"MODEL_PROVIDER": "hunter2"}) == "MODEL_PROVIDER must be one of echo, openai, workers-ai, or empty."


@pytest.mark.parametrize(
    "env", [{"MODEL_PROVIDER": "openai"}, {"OPENAI_API_KEY": "sk-1"}, {"OPENAI_BASE_URL": "http://a"}]
)
def test_an_openai_compatible_service_needs_the_name_of_a_model(env: dict[str, str]):
    assert "OPENAI_MODEL" in problem(env)
    assert "OPENAI_MODEL" in problem(env | {"OPENAI_MODEL": " "})


def test_workers_ai_needs_its_binding():
    assert (
        problem({"MODEL_PROVIDER": "workers-ai"}) == "MODEL_PROVIDER says workers-ai, and the Worker has no binding AI."
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "http://localhost:11434/v1",
        "http://[::1]:8000",
        "https://gateway.ai.cloudflare.com/v1/account/gate_way/openai",
        "https://a.example/openai/deployments/gpt%2Dx",
        "HTTPS://A.EXAMPLE",
    ],
)
def test_a_base_url_is_taken_as_it_is(url: str):
    assert read_model_settings(OPENAI | {"OPENAI_BASE_URL": f" {url}/ "}).openai_base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "ftp://hunter2",
        "https://",
        "https:///v1",
        "https://user:hunter2@a.example",
        "https://a.example/v1?key=hunter2",
        "https://a.example/v1#hunter2",
        "https://a.example/hunter 2",
        "https://a.example\\@hunter2",
        "https://hunter2:port",
        "https://[hunter2",
        "https://a.example/\nhunter2",
        "https://h\u00fcnter2.example",
    ],
)
def test_what_is_no_plain_url_is_a_problem(url: str):
    assert problem(OPENAI | {"OPENAI_BASE_URL": url}) == (
        "OPENAI_BASE_URL must be a URL like https://api.openai.com/v1, without a user or a query."
    )


def test_a_key_may_have_any_visible_character_of_ascii():
    key = "".join(map(chr, range(0x21, 0x7F)))
    assert read_model_settings(OPENAI | {"OPENAI_API_KEY": key}).openai_api_key == key


@pytest.mark.parametrize("key", ["hunter 2", "hunter2\nX-Header: 1", "h\u00fcnter2", "hunter\x7f2", "\u0000hunter2"])
def test_a_key_that_no_header_can_carry_is_a_problem(key: str):
    assert problem(OPENAI | {"OPENAI_API_KEY": key}) == "OPENAI_API_KEY has characters that no key has."


@pytest.mark.parametrize(
    "text",
    ["hunter2", "[]", '{"a": 1}', '{"a": {"instructions": 1}}', '{"a": {"hunter2": ""}}', '{"a": {"model": []}}'],
)
def test_agents_of_another_shape_are_a_problem(text: str):
    assert problem({"AGENTS": text}).startswith("AGENTS must be JSON like")


@pytest.mark.parametrize("session", ["", "K7Q2M9XA", "x" * 31, "X" * 32, "https://waypost.example/mcp/" + "x" * 32])
def test_the_session_of_an_agent_is_an_mcp_address(session: str):
    agents = json.dumps({"keeper": {"session": session}})
    assert problem({"AGENTS": agents}) == (
        "A session in AGENTS must be an MCP address: the 32 small letters and digits behind /mcp/ that the console "
        "shows. A code does not last."
    )


def test_the_session_of_an_agent_is_never_shown():
    settings = read_model_settings({"AGENTS": json.dumps({"keeper": {"session": ADDRESS}})})
    assert settings.agents["keeper"].session == ADDRESS
    assert ADDRESS not in repr(settings)


def test_a_key_is_never_shown():
    assert "hunter2" not in repr(read_model_settings(OPENAI | {"OPENAI_API_KEY": "hunter2"}))


def test_what_is_unusable_here_makes_the_service_unusable():
    env = {"SIGNING_KEY": "x" * 32, "MODEL_PROVIDER": "workers-ai"}
    assert "binding AI" in (read_settings(env).problem or "")
    assert read_settings(env, has_ai=True).problem is None


@pytest.mark.parametrize(("text", "parts"), [("", "images"), (" Text ", "text"), ("images", "images"), ("any", "any")])
def test_the_parts_that_a_model_is_given(text: str, parts: str):
    assert read_model_settings({"MODEL_PARTS": text}).parts == parts


def test_parts_of_another_name_are_refused():
    assert problem({"MODEL_PARTS": "hunter2"}) == "MODEL_PARTS must be one of text, images, any, or empty."


@pytest.mark.parametrize(("text", "characters"), [("", 65_536), ("1000", 1000), ("1000000", 1_000_000)])
def test_the_budget_of_a_prompt(text: str, characters: int):
    assert read_model_settings({"PROMPT_BUDGET": text}).prompt_budget == characters


@pytest.mark.parametrize("text", ["0", "999", "1000001", "-1", "1e5", " ", "\u0661000", "9" * 99])
def test_a_budget_of_a_prompt_that_can_not_be_is_refused(text: str):
    expected = "PROMPT_BUDGET must be a whole number of characters from 1000 to 1000000."
    assert problem({"PROMPT_BUDGET": text}) == expected


def test_headers_query_and_parameters_are_read():
    env = {
        "OPENAI_MODEL": "m",
        "OPENAI_HEADERS": '{"API-Key": " k 1 "}',
        "OPENAI_QUERY": " ?api-version=2024-10-21&x=%20 ",
        "MODEL_PARAMETERS": '{"temperature": 0.2, "stop": ["x"]}',
    }
    settings = read_model_settings(env)
    assert settings.openai_headers == {"api-key": "k 1"}
    assert settings.openai_query == "api-version=2024-10-21&x=%20"
    assert settings.parameters == {"temperature": 0.2, "stop": ["x"]}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("OPENAI_HEADERS", "api-key: secret", "OPENAI_HEADERS must be JSON like"),
        ("OPENAI_HEADERS", '{"a": 1}', "OPENAI_HEADERS must be JSON like"),
        ("OPENAI_HEADERS", '{"a b": "secret"}', "OPENAI_HEADERS has a name or a value"),
        ("OPENAI_HEADERS", '{"a": "secret\\n"}', "OPENAI_HEADERS has a name or a value"),
        ("OPENAI_HEADERS", '{"a": "secrét"}', "OPENAI_HEADERS has a name or a value"),
        ("OPENAI_HEADERS", '{"Host": "secret"}', "OPENAI_HEADERS must not have Host."),
        ("OPENAI_QUERY", "a=secret b", "OPENAI_QUERY must be a query like"),
        ("OPENAI_QUERY", "a=secret#b", "OPENAI_QUERY must be a query like"),
        ("MODEL_PARAMETERS", "temperature=secret", "MODEL_PARAMETERS must be JSON like"),
        ("MODEL_PARAMETERS", "[]", "MODEL_PARAMETERS must be JSON like"),
        ("MODEL_PARAMETERS", '{"stream": false, "model": "secret"}', "MODEL_PARAMETERS must not have model, stream."),
    ],
)
def test_headers_query_and_parameters_that_cannot_be_used_are_named_without_their_value(
    name: str, text: str, sentence: str
):
    with pytest.raises(ValueError, match=sentence) as caught:
        read_model_settings({name: text})
    assert "secr" not in str(caught.value)
