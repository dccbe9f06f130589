"""The README and the pages of docs/ agree with the code: tables, numbers, links and paths."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from bench.report.page import filled, table
from tests.support.docs import (
    PACKAGE,
    PAGES,
    ROOT,
    anchors,
    broken_links,
    examples,
    is_printed,
    missing_paths,
    page,
    table_rows,
    words,
)
from waypost_worker import limits
from waypost_worker.app import ROUTES
from waypost_worker.chat.unfinished import MISSED_INTERVALS
from waypost_worker.limits import (
    ADDRESS_CACHE_SECONDS,
    ANSWER_GRACE_SECONDS,
    APPEND_BYTES_PER_USE,
    DEFAULT_CONVERSATION_TTL_SECONDS,
    DEFAULT_HISTORY_BYTES,
    DEFAULT_HISTORY_LIMIT,
    DEFAULT_QUEUE_TTL_SECONDS,
    DEFAULT_SESSION_TTL_SECONDS,
    DEFAULT_THREAD_HISTORY_LIMIT,
    DOCUMENT_TTL_SECONDS,
    FOLLOW_PATIENCE_SECONDS,
    KV_READ_CACHE_SECONDS,
    KV_VISIBLE_SECONDS,
    MAX_ANSWER_SECONDS,
    MAX_SESSION_AGE_SECONDS,
    MAX_WAIT_SECONDS,
    MAX_WRITE_SECONDS,
    POP_REPEAT_SECONDS,
    PRESENCE_GRACE_SECONDS,
    REORDER_WINDOW_SECONDS,
    SESSION_CACHE_SECONDS,
    TAKEOVER_HOLD_SECONDS,
    THREAD_TTL_SECONDS,
)
from waypost_worker.models.settings import PROVIDERS
from waypost_worker.polling.plans import FREE, PAID
from waypost_worker.polling.schedule import COALESCED_MS
from waypost_worker.security.rate_limits import PERIOD_SECONDS, Limit
from waypost_worker.settings import read_settings

GUARANTEES = words("docs/guarantees.md")
SETTINGS = page("docs/settings.md")
CONFIG = tomllib.loads(page("wrangler.toml"))
MAX_README_LINES = 140
MAX_PICTURE_BYTES = 150_000


def test_the_readme_is_short_and_its_picture_small():
    assert len(page("README.md").splitlines()) <= MAX_README_LINES
    assert (ROOT / "docs/pictures/tab.png").stat().st_size < MAX_PICTURE_BYTES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(path: Path):
    assert broken_links(path, path.read_text()) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(path: Path):
    # The changelog also names what is gone.
    assert path.name == "CHANGELOG.md" or missing_paths(path.read_text()) == []


def test_broken_links_and_missing_paths_would_be_noticed():
    here = ROOT / "docs" / "api.md"
    text = "# A heading\n[a](api.md) [b](none.md) [c](#a-heading) [d](api.md#none) [e](https://none.example)"
    assert broken_links(here, text) == ["none.md", "#a-heading", "api.md#none"]
    assert anchors("# Where is …\n```sh\n# no heading\n```\n## `PLAN`, and more") == {"where-is-", "plan-and-more"}
    assert missing_paths("`queues/queue.py` `tests/whole/` `queues/none.py` `text/event-stream` `a/b`") == [
        "queues/none.py"
    ]


def test_every_page_of_docs_is_linked_from_the_readme():
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\((docs/[^)#]+)", page("README.md")))


def test_the_route_table_lists_every_route_once():
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \|", page("docs/api.md"), re.MULTILINE)
    served = [f"{route.method} {route.template}" for route in ROUTES if not route.template.startswith("/debug")]
    assert sorted(rows) == sorted(served)
    assert f"`?wait={MAX_WAIT_SECONDS}`" in page("docs/api.md")


def test_every_guarantee_names_the_tests_that_hold_it():
    sections = re.split(r"^### ", page("docs/guarantees.md"), flags=re.MULTILINE)[1:]
    assert len(sections) > 10
    unheld = [section.splitlines()[0] for section in sections if not re.search(r"\*Held by\*[^.]*`tests/", section)]
    assert unheld == []


def test_the_numbers_of_the_guarantees_are_those_of_the_code():
    assert f"looks at KV every {PAID.poll_min_ms / 1000:g} to {PAID.poll_max_ms / 1000:g} s" in GUARANTEES
    # Long intervals end with a half second of the clock.
    paid, free = (-(-plan.wake_up_max_ms // COALESCED_MS) * COALESCED_MS / 1000 for plan in (PAID, FREE))
    assert f"every {paid:g} s on the paid plan of a placed deployment and every {free:g} s on the free" in GUARANTEES
    assert f"up to {PAID.asleep_poll_ms // 1000} s on the paid plan and two minutes on the free one" in GUARANTEES
    assert FREE.asleep_poll_ms == 120_000
    assert f"for at most {REORDER_WINDOW_SECONDS} s" in GUARANTEES
    assert f"is repeated for up to {MAX_WRITE_SECONDS} s" in GUARANTEES
    assert "live for an hour" in GUARANTEES
    assert DEFAULT_QUEUE_TTL_SECONDS == 3600
    assert "for ten minutes after their host has left and 24 hours at most" in GUARANTEES
    assert (DEFAULT_SESSION_TTL_SECONDS, MAX_SESSION_AGE_SECONDS) == (600, 24 * 3600)
    assert "lives for 24 hours after it was last put" in GUARANTEES
    assert DOCUMENT_TTL_SECONDS == 24 * 3600


def test_the_numbers_of_what_kv_shows_late_are_those_of_the_code():
    record = KV_VISIBLE_SECONDS + KV_READ_CACHE_SECONDS
    assert (record, record + ADDRESS_CACHE_SECONDS, record + SESSION_CACHE_SECONDS) == (90, 120, 120)
    assert "record a minute and a half" in GUARANTEES
    assert "found within about two minutes" in GUARANTEES
    assert "in the worst case a minute and a half later" in GUARANTEES
    assert "(120 s), no isolate uses an older one" in page("docs/simulation.md")
    assert [record + plan.session_check_seconds for plan in (PAID, FREE)] == [150, 270]
    assert "up to two and a half minutes (four and a half on the free plan)" in GUARANTEES
    # A session is renewed when half of its time is over, or at the first check after that.
    for plan, shortest in ((PAID, 300), (FREE, 540)):
        assert shortest / 2 - min(plan.session_check_seconds, shortest // 3) == record
    assert "With less than five minutes (nine on the free plan)" in GUARANTEES


def test_the_numbers_of_two_hosts_are_those_of_the_code():
    assert f"held back from that one for {TAKEOVER_HOLD_SECONDS} s" in GUARANTEES
    lifetimes = [(plan.presence_seconds + PRESENCE_GRACE_SECONDS) / 60 for plan in (PAID, FREE)]
    assert lifetimes == [2, 6]
    assert "two minutes on the paid plan, six on the free one" in GUARANTEES
    assert max(PAID.session_check_seconds, PAID.presence_seconds) == 60
    assert min(FREE.session_check_seconds, FREE.presence_seconds) == 180
    assert "usually within a minute (three on the free plan)" in GUARANTEES


def test_the_numbers_of_chats_are_those_of_the_code():
    assert f"goes on for {ANSWER_GRACE_SECONDS} s after the last reader has left" in GUARANTEES
    assert "about once a second (every ten on the free plan)" in GUARANTEES
    assert (PAID.chunk_ms, FREE.chunk_ms) == (1_000, 10_000)
    patience = [plan.chunk_ms * MISSED_INTERVALS // 1000 for plan in (PAID, FREE)]
    assert "takes the next question after {} s ({} s on the free plan)".format(*patience) in GUARANTEES
    assert f"is detected only after {FOLLOW_PATIENCE_SECONDS} s" in GUARANTEES
    assert "for more than ten minutes" in GUARANTEES
    assert MAX_ANSWER_SECONDS == 600
    assert f"{DEFAULT_HISTORY_LIMIT} (`HISTORY_LIMIT`) | 1 MiB | an hour after the last message" in GUARANTEES
    assert DEFAULT_CONVERSATION_TTL_SECONDS == 3600
    assert f"{DEFAULT_THREAD_HISTORY_LIMIT} (`THREAD_HISTORY_LIMIT`) | 1 MiB (`HISTORY_BYTES`) | 30 days" in GUARANTEES
    assert (DEFAULT_HISTORY_BYTES, THREAD_TTL_SECONDS) == (1024 * 1024, 30 * 24 * 3600)
    assert "within ten minutes, it takes nothing else" in GUARANTEES
    assert POP_REPEAT_SECONDS == 600
    assert "until `visibleUntil`, two minutes later" in GUARANTEES


def test_the_planted_bugs_are_counted_right():
    from simulation.planted import PLANTED

    assert f"{len(PLANTED)} deliberate bugs" in GUARANTEES
    assert f"in {len(PLANTED)} ways" in words("docs/simulation.md")


def test_the_rate_limits_are_those_that_are_deployed():
    bound = {limit["name"]: limit["simple"] for limit in CONFIG["ratelimits"]}
    assert {simple["period"] for simple in bound.values()} == {PERIOD_SECONDS}
    rows = table_rows(SETTINGS, "Rate limits")
    assert {name.strip("`"): int(number.replace(",", "")) for name, _, number in rows} == {
        name: simple["limit"] for name, simple in bound.items()
    }
    assert set(bound) == {limit.value for limit in Limit}
    assert len({limit["namespace_id"] for limit in CONFIG["ratelimits"]}) == len(bound)
    assert f"each {APPEND_BYTES_PER_USE // 1024} KiB once" in SETTINGS


def test_no_budget_is_likely_to_be_shared_with_another_worker_of_the_account():
    # Workers that name the same namespace_id share its budget; examples and their copies have short ones.
    assert all(int(limit["namespace_id"]) > 10**8 for limit in CONFIG["ratelimits"])


def test_no_log_of_the_platform_has_whole_urls():
    assert CONFIG["observability"]["logs"] == {"enabled": True, "invocation_logs": False}
    assert CONFIG["observability"]["redact_query_string"] is True
    assert CONFIG["preview_urls"] is False


def names_read_by_the_worker() -> set[str]:
    """`SETTINGS` of the module that runs on the platform only, so it can't be imported here."""
    tree = ast.parse((PACKAGE / "cloudflare" / "worker.py").read_text())
    [names] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SETTINGS"
    ]
    return set(names)


def test_each_setting_is_in_the_code_in_the_configuration_and_in_its_table():
    variables = {row[0].strip("`") for row in table_rows(SETTINGS, "Variables")}
    secrets = {row[0].strip("`") for row in table_rows(SETTINGS, "Secrets")}
    used = set()
    for module in ("settings.py", "models/settings.py"):
        used |= set(re.findall(r'"([A-Z]+(?:_[A-Z]+)*)"', (PACKAGE / module).read_text()))
    assert names_read_by_the_worker() == used
    assert variables | secrets == used
    # Not offered in a deployment, and not put there beside the key that it stands for.
    assert set(CONFIG["vars"]) == variables - {"DIAGNOSTICS"}
    assert set(re.findall(r"^# ([A-Z_]+)  ", page("wrangler.toml"), re.MULTILINE)) == secrets - {"SIGNING_KEY_PREVIOUS"}


def test_the_defaults_are_those_of_the_code_and_of_the_configuration():
    for name, default, _, _ in table_rows(SETTINGS, "Variables"):
        assert CONFIG["vars"].get(name.strip("`"), "") == default.strip("`"), name
    key = {"SIGNING_KEY": "0" * 32}
    deployed = {name: value for name, value in CONFIG["vars"].items() if value}
    assert read_settings(key) == read_settings(key | deployed)


def test_the_values_of_a_number_are_those_that_are_accepted():
    ranges = {
        name.strip("`"): [int(number.replace(",", "")) for number in found.groups()]
        for name, _, values, _ in table_rows(SETTINGS, "Variables")
        if (found := re.match(r"([\d,]+) to ([\d,]+) ", values))
    }
    assert {"CODE_LENGTH", "HISTORY_LIMIT"} < set(ranges)
    for name, (least, most) in ranges.items():
        usable = [
            read_settings({"SIGNING_KEY": "0" * 32, name: str(number)}).problem is None
            for number in (least - 1, least, most, most + 1)
        ]
        assert usable == [False, True, True, False], name


def test_the_words_that_a_setting_takes_are_those_that_are_accepted():
    words_of = {row[0].strip("`"): re.findall(r"`([\w-]+)`", row[2]) for row in table_rows(SETTINGS, "Variables")}
    assert set(words_of["MODEL_PROVIDER"]) == set(PROVIDERS)
    for name in ("PLAN", "REQUIRE_TOKEN", "DIAGNOSTICS", "MODEL_PROVIDER"):
        for word in words_of[name]:
            env = {"SIGNING_KEY": "0" * 32, "OPENAI_MODEL": "m", name: word}
            assert read_settings(env, has_ai=True).problem is None, (name, word)


def test_the_limits_of_size_and_time_are_those_of_the_code():
    assert dict(table_rows(SETTINGS, "Limits of size and time")) == {
        "a request's body": f"{limits.MAX_BODY_BYTES // 1024} KiB",
        "a question's body, and its last message": (
            f"{limits.MAX_CHAT_BODY_BYTES // 1024**2} MiB, and {limits.MAX_QUESTION_BYTES // 1024**2} MiB"
        ),
        "the images of a message, as `data:` URLs; of a conversation; of a prompt": (
            f"{limits.MAX_IMAGE_BYTES // 1024**2} MiB ({limits.MAX_IMAGE_BYTES * 3 // 4 // 1024**2} MiB as files); "
            f"the newest {limits.MAX_IMAGE_BYTES // 1024**2} MiB"
        ),
        "a tool's result, as JSON; with encryption": (
            f"{limits.MAX_RESULT_BYTES // 1024**2} MiB; {limits.MAX_RESULT_BYTES * 3 // 4 // 1024**2} MiB"
        ),
        "a page's HTML": f"{limits.MAX_PAGE_BYTES // 1024**2} MiB",
        "an import's messages": f"{limits.MAX_IMPORTED_MESSAGES:,}, in {limits.MAX_IMPORT_BYTES // 1024**2} MiB",
        "documents of a session; pages of a session": f"{limits.MAX_DOCUMENTS}",
        "tools of a session": f"{limits.MAX_TOOLS}",
        "a session's `data`, as JSON": f"{limits.MAX_SESSION_DATA_BYTES // 1024} KiB",
        "elements in the arrays of a body": f"{limits.MAX_JSON_ELEMENTS:,}",
        "open streams and waits (`?wait=`) of a session; of an address": (
            f"{limits.MAX_STREAMS_PER_SESSION}; {limits.MAX_STREAMS_PER_ADDRESS}"
        ),
        "a message to a model": f"{limits.MAX_CHAT_MESSAGE_LENGTH:,} characters",
        "a thread's metadata, as JSON": f"{limits.MAX_METADATA_BYTES} bytes",
        "`?wait=`": f"{MAX_WAIT_SECONDS} s",
        "a session's age, however often it is renewed": f"{MAX_SESSION_AGE_SECONDS // 3600} h",
        "a thread without messages": f"{limits.THREAD_TTL_SECONDS // 86_400} days",
        "an answer": f"{MAX_ANSWER_SECONDS // 60} minutes, {limits.MAX_ANSWER_CHARACTERS:,} characters",
    }


def test_the_table_of_packages_has_each_package_and_each_module_beside_them():
    cells = " ".join(row[0] for row in table_rows(page("docs/architecture.md"), "Packages"))
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(re.findall(r"`([\w.]+)`", cells)) == sorted(modules | packages)


def test_the_measured_ratios_are_those_that_the_benchmark_printed():
    measured = json.loads(page("bench/results.json"))
    text = page("docs/benchmarks.md")
    assert filled(text, measured) == text, "run `python -m bench.report.page`"
    about = f"its run of {measured['date']} on {measured['machine']['cores']} cores"
    assert about in words("docs/benchmarks.md")
    assert table(measured).count("\n") > 10


def test_an_example_is_a_script_and_what_it_prints():
    text = "<!-- example: one -->\n```sh\necho 1\n```\n\nPrints:\n\n```json\n1\n```\n"
    assert examples(text) == {"one": ("echo 1\n", "1\n")}
    assert is_printed('{"id":"…"}\n', '{"id":"7"}\n')
    assert not is_printed('{"id":"…"}\n', '{"id":"7","more":1}\n')
