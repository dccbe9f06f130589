"""Chooses the model that a deployment's settings name."""

from collections.abc import Callable

from waypost_worker.clock import Clock
from waypost_worker.models.echo import EchoModel
from waypost_worker.models.model import Model
from waypost_worker.models.openai import OpenAiModel
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.transport import AiBinding, HttpClient
from waypost_worker.models.workers_ai import WorkersAiModel
from waypost_worker.random import Random


def choose_model(
    settings: ModelSettings,
    http: HttpClient,
    ai: AiBinding | None,
    clock: Clock,
    random: Random,
    log: Callable[[str], None],
) -> Model:
    """Returns the model that `settings` name. `log`: for the operator, what a service sent that was skipped.

    `ai` is not `None` if they name Workers AI; `read_model_settings` has checked that.
    """
    if settings.provider == "openai":
        return OpenAiModel(settings, http, clock, random, log)
    if settings.provider == "workers-ai" and ai is not None:
        return WorkersAiModel(settings, ai, clock, random, log)
    return EchoModel(clock)
