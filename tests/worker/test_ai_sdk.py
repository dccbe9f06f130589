"""The npm package `ai`, unchanged, in Node, against the Worker: a new version, one of the release before,
and the oldest with this stream."""

from __future__ import annotations

from pathlib import Path

from tests.support.node_tests import run_node_tests
from tools.local.harness.worker import LocalWorker

TESTS = Path(__file__).parents[1] / "aisdk"


def test_its_chats_send_resume_stop_edit_and_regenerate(worker: LocalWorker) -> None:
    run_node_tests(TESTS / "chat.test.mjs", WAYPOST_URL=worker.url)


def test_the_readmes_snippet_is_a_chat_with_history_stop_and_resume(worker: LocalWorker) -> None:
    run_node_tests(TESTS / "readme.test.mjs", WAYPOST_URL=worker.url)


def test_its_chats_show_what_the_tools_of_a_tab_do(worker: LocalWorker) -> None:
    run_node_tests(TESTS / "tab.test.mjs", WAYPOST_URL=worker.url)


def test_its_chats_run_tools_of_their_page_and_send_the_outputs(worker: LocalWorker) -> None:
    run_node_tests(TESTS / "page.test.mjs", WAYPOST_URL=worker.url)
