"""How long the fuzzers run, and with which examples."""

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

SECONDS = float(os.environ.get("WAYPOST_FUZZ_SECONDS", "0"))
"""For all fuzzers together; 0: a short run, which is the same every time."""

SEED = os.environ.get("WAYPOST_FUZZ_SEED")
"""Of the one round that is to be made again."""

EXAMPLES = 200
"""In one round of a long run."""

COUNTED = pytest.StashKey[dict[str, tuple[int, int]]]()

if SECONDS or SEED:
    hypothesis.settings.register_profile(
        "waypost-long",
        hypothesis.settings.get_profile("waypost"),
        derandomize=False,
        max_examples=EXAMPLES,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("waypost-long")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COUNTED] = {}


def is_fuzzer(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and hypothesis.is_hypothesis_test(item.obj)


def rounds(seconds: float) -> Iterator[int]:
    """Seeds, for as long as there is time."""
    if SEED:
        yield int(SEED)
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield random.getrandbits(64)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not (SECONDS or SEED) or not is_fuzzer(pyfuncitem):
        return None
    share = SECONDS / sum(map(is_fuzzer, pyfuncitem.session.items))
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    examples = made = 0

    def count(test: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal examples
            examples += 1
            return test(*args, **kwargs)

        return counted

    handle = pyfuncitem.obj.hypothesis
    handle.inner_test = count(handle.inner_test)
    try:
        for seed in rounds(share):
            made += 1
            try:
                hypothesis.seed(seed)(pyfuncitem.obj)(**arguments)
            except BaseException as failure:
                failure.add_note(f"To make it again: WAYPOST_FUZZ_SEED={seed} .venv/bin/pytest '{pyfuncitem.nodeid}'")
                raise
    finally:
        pyfuncitem.config.stash[COUNTED][pyfuncitem.nodeid] = (examples, made)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, (examples, made) in config.stash[COUNTED].items():
        terminalreporter.write_line(f"{name}: {examples} examples in {made} rounds")
