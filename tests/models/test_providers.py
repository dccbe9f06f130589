"""From settings to the model that answers."""

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.fake_http import FakeAi, FakeHttp
from waypost_worker.models.model import Model
from waypost_worker.models.providers import choose_model
from waypost_worker.models.settings import PROVIDERS, ModelSettings


def chosen(provider: str, ai: FakeAi | None = None) -> Model:
    settings = ModelSettings(provider, openai_model="gpt-x", workers_ai_model="@cf/x")
    return choose_model(settings, FakeHttp(), ai, VirtualClock(), SeededRandom(), [].append)


def test_each_provider_has_its_model():
    assert all(chosen(provider, FakeAi()).name.startswith(provider) for provider in PROVIDERS)
    assert chosen("openai").name == "openai: gpt-x"
    assert chosen("workers-ai", FakeAi()).name == "workers-ai: @cf/x"
    assert chosen("echo").name == "echo"


def test_a_binding_that_the_settings_do_not_name_is_not_used():
    assert chosen("openai", FakeAi()).name == "openai: gpt-x"
    assert chosen("echo", FakeAi()).name == "echo"


def test_settings_that_were_never_read_get_no_network():
    assert choose_model(ModelSettings(), FakeHttp(), FakeAi(), VirtualClock(), SeededRandom(), [].append).name == "echo"
    assert chosen("workers-ai").name == "echo"
