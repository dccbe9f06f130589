"""Which of the models answers: the settings say it, and have been checked."""

from waypost.ai_binding import AiBinding
from waypost.clock import Clock
from waypost.echo_model import EchoModel
from waypost.http_client import HttpClient
from waypost.model import Model
from waypost.model_settings import ModelSettings
from waypost.openai_model import OpenAiModel
from waypost.random import Random
from waypost.workers_ai_model import WorkersAiModel


def choose_model(
    settings: ModelSettings, http: HttpClient, ai: AiBinding | None, clock: Clock, random: Random
) -> Model:
    """The model that `settings` name. `ai` is there where they name Workers AI: `read_model_settings` sees to that."""
    if settings.provider == "openai":
        return OpenAiModel(settings, http, clock, random)
    if settings.provider == "workers-ai" and ai is not None:
        return WorkersAiModel(settings, ai, clock, random)
    return EchoModel(clock)
