"""Fixtures of the browser tests: a Worker, a browser, and pages whose errors fail the test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chats import Chats
from tests.browser.chromium import find_chromium, launch
from tests.browser.console import Console
from tests.browser.watch import Watch
from tests.browser.webmcp_visits import deployment as deployment
from tests.browser.webmcp_visits import enter as enter
from tests.browser.webmcp_visits import native as native
from tests.browser.webmcp_visits import site as site
from tools.local.harness.worker import LocalWorker

HERE = Path(__file__).parent
ARTIFACTS = HERE.parent / "artifacts"
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
MAIN_TESTS = frozenset(
    {
        # A session and its calls.
        "test_a_call_from_the_agents_panel_reaches_the_tab_and_its_answer_shows",
        "test_a_program_without_a_browser_reaches_the_tab",
        "test_a_call_from_elsewhere_waits_until_it_is_allowed_and_the_next_one_is_asked_about_again",
        "test_a_refused_call_is_answered_with_an_error_that_says_so",
        "test_questions_and_approvals_wait_in_one_place_that_is_in_sight",
        "test_the_end_of_a_session_is_shown_and_the_client_does_not_come_back",
        "test_an_unknown_code_shows_an_error",
        "test_a_reload_in_the_middle_of_a_call_loses_nothing",
        "test_a_phone_calls_an_encrypted_tab_through_its_link_and_keeps_the_key_over_a_reload",
        "test_mcp_clients_reach_the_tab_at_the_url_on_the_page",
        "test_a_client_configured_once_reaches_the_tab_after_a_reload_and_in_each_new_session",
        "test_the_official_client_uses_a_page_that_knows_only_webmcp",
        # A session in several pages.
        "test_in_a_duplicated_tab_no_call_runs_and_it_takes_over_when_the_first_one_closes",
        "test_a_tab_that_is_closed_is_offline_within_seconds",
        # Chats, their threads and pages.
        "test_an_answer_is_seen_growing_word_by_word",
        "test_the_model_remembers_earlier_messages",
        "test_stopping_keeps_the_text_so_far_and_marks_it",
        "test_threads_are_listed_most_recently_used_first",
        "test_a_fork_from_a_message_has_nothing_after_it",
        "test_a_sample_page_shows_what_the_gallery_is_for",
        "test_a_chat_uses_the_tab_over_a_reload_and_ends_with_the_right_history",
        "test_a_follow_up_question_is_answered_from_the_history",
        # The reference, and how all of it looks.
        "test_every_route_of_the_document_has_its_card",
        "test_static_files_carry_the_headers_that_keep_other_sites_out",
    }
)
"""The tests that `make test` runs too: each main path once. Every other one gets the marker `verify` here."""
LONGEST_FIRST = (
    "test_webmcp.py",
    "test_chat.py",
    "test_tab_story.py",
    "test_resilience.py",
    "test_threads.py",
    "test_thread_care.py",
    "test_chat_page.py",
    "test_page_isolation.py",
)
"""Files run in parallel: a long one that started last would run alone."""

# Waits end when their condition holds; this is for a machine that is busy with something else.
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            if isinstance(item, pytest.Function) and item.originalname not in MAIN_TESTS:
                item.add_marker(pytest.mark.verify)
    order = {HERE / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        reason = "no Chromium found: install one (Debian: apt-get install chromium)"
        if os.environ.get("WAYPOST_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def worker(browser: Browser) -> Iterator[LocalWorker]:
    """The Worker that most tests of a process share; after the browser, since without one there is nothing to do."""
    with LocalWorker() as worker:
        yield worker
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"browser-worker-{PROCESS}.log").write_text(worker.log_text())


@pytest.fixture
def own_worker(browser: Browser) -> Iterator[LocalWorker]:
    """A Worker that a test may kill."""
    with LocalWorker() as worker:
        yield worker


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Sees what every page of the test does; fails it for an error or a request to another host."""
    watch = Watch()
    yield watch
    watch.verify()


OpenConsole = Callable[..., Console]


@pytest.fixture
def open_at(browser: Browser, watch: Watch) -> Iterator[OpenConsole]:
    """Open the console of a Worker in a context of its own (another person's browser)."""
    contexts = []

    def open_at(url: str, hash: str = "", **options: object) -> Console:
        # Without motion, a colour read or a picture taken at any moment is the final one.
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        contexts.append(context)
        watch.follow(context, url)
        console = Console(context.new_page(), url, ARTIFACTS)
        console.page.goto(f"{url}/{hash}")
        return console

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture
def open_console(open_at: OpenConsole, worker: LocalWorker) -> OpenConsole:
    """Open the console of the shared Worker."""
    return lambda hash="", **options: open_at(worker.url, hash, **options)


OpenChats = Callable[..., Chats]


@pytest.fixture
def open_chats(open_console: OpenConsole) -> OpenChats:
    """Open the chats of the shared Worker's console."""
    return lambda hash="#chat", **options: Chats(open_console(hash, **options))


@pytest.fixture
def api(worker: LocalWorker) -> Iterator[httpx.Client]:
    """An HTTP client without a browser."""
    with httpx.Client(base_url=worker.url, timeout=120, trust_env=False) as client:
        yield client
