"""The npm package, packed and installed: its content, its types, its size, and what it does."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
import pytest

from tests.support.node_tests import run_node_tests
from tests.support.npm_project import MODULES, packed_package, project_with
from tools.local.local_worker import ROOT
from tools.npm_package.assemble import PackageProblem, assemble, version
from tools.npm_package.manifest import ENTRIES, PEERS, manifest
from waypost_worker.chat.ui_messages import to_ui_messages
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.export_json import conversation_view
from waypost_worker.conversations.message import ChatMessage, ToolCall, ToolEvent

HERE = Path(__file__).parent
INSTALLED = ("ai", "esbuild", "react", "react-dom", "scheduler")
MANUAL = ROOT / "docs" / "javascript.md"
SDKS = {"5": "ai-v5", "6": "ai-v6", "7": "ai"}
every_sdk = pytest.mark.parametrize(
    "sdk", [pytest.param("5", marks=pytest.mark.verify), pytest.param("6", marks=pytest.mark.verify), "7"]
)
TESTS = ("docs", "guest", "host", "server", "storage", "threads")

BUDGETS = {
    'export * from "waypost";': 28_000,
    'export { createSession, Host } from "waypost";': 22_500,
    'export { joinSession } from "waypost";': 7_000,
    'export * from "waypost/react";': 27_500,
    'export * from "waypost/ai";': 4_000,
    'export * from "waypost/storage";': 700,
    'export * from "waypost/node";': 350,
}
"""The bytes that these lines add to a page: bundled alone, minified and compressed, React and the AI SDK left out."""

SERVED = ROOT / "src" / "site" / "client" / "server.js"

IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as npm publishes it."""
    return packed_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def project(archive: Path) -> Path:
    """A project that has installed it, with the tests in JavaScript and what they need."""
    folder = project_with(archive, archive.parent / "project", {name: name for name in INSTALLED})
    for path in [*HERE.glob("*.mjs"), HERE / "consumer.ts", ROOT / "tests" / "client" / "fake-server.mjs"]:
        shutil.copyfile(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def package(project: Path) -> Path:
    """The installed package."""
    return project / "node_modules" / "waypost"


@pytest.fixture(scope="module")
def project_of(archive: Path) -> Callable[[str], Path]:
    """Gives a project with this version of the AI SDK."""

    @cache
    def make(sdk: str) -> Path:
        folder = project_with(archive, archive.parent / f"ai-{sdk}", {"ai": SDKS[sdk]})
        for name in ("ai.test.mjs", "consumer-ai.ts"):
            shutil.copyfile(HERE / name, folder / name)
        return folder

    return make


def code_of(package: Path) -> dict[str, str]:
    """The modules without their comments, by path."""
    modules = sorted(package.rglob("*.js"))
    comment = re.compile(r"/\*.*?\*/|^\s*//.*$", re.DOTALL | re.MULTILINE)
    return {str(path.relative_to(package)): comment.sub("", path.read_text()) for path in modules}


def compiled(folder: Path, *options: str) -> str:
    """What the compiler says about a user's file."""
    common = ("--ignoreConfig", "--noEmit", "--strict", "--target", "es2024")
    lib = () if "--lib" in options else ("--lib", "es2024,dom,dom.iterable")
    command = [MODULES / ".bin" / "tsc", *common, *lib, "--types", "", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stdout == ""), done.stderr
    return done.stdout


def test_it_has_the_version_of_the_project_and_needs_nothing(package: Path) -> None:
    said = json.loads((package / "package.json").read_text())
    assert said == manifest(version())
    assert said["version"] == json.loads((ROOT / "package.json").read_text())["version"]
    assert "dependencies" not in said
    assert all(said["peerDependenciesMeta"][name]["optional"] for name in PEERS)


def test_each_entry_has_its_module_and_its_types(package: Path) -> None:
    exports = json.loads((package / "package.json").read_text())["exports"]
    assert set(exports) == {*ENTRIES, "./package.json"}
    for entry in ENTRIES:
        assert list(exports[entry]) == ["types", "default"], "the types come first, or some compilers miss them"
        assert all((package / path).is_file() for path in exports[entry].values())


def test_it_is_the_client_as_it_is_but_for_the_server_that_it_came_from(package: Path) -> None:
    site = ROOT / "src" / "site"
    shared = [
        path.relative_to(site) for path in [*site.glob("client/**/*.js"), site / "waypost.js", site / "waypost.d.ts"]
    ]
    changed = [str(path) for path in shared if (package / path).read_bytes() != (site / path).read_bytes()]
    assert changed == ["client/server.js"]


def test_nothing_else_is_published(package: Path) -> None:
    names = {path.name for path in package.iterdir()}
    assert names == {
        *("package.json", "README.md", "LICENSE", "waypost.js", "waypost.d.ts"),
        *("client", "react", "ai", "storage", "node", "tokens"),
    }
    assert {path.suffix for path in package.rglob("*") if path.is_file()} == {".js", ".ts", ".json", ".md", ""}
    assert [path.name for path in package.rglob("*.ts") if not path.name.endswith(".d.ts")] == []


def test_its_modules_import_only_what_they_may(package: Path) -> None:
    foreign: dict[str, set[str]] = {}
    for path, code in code_of(package).items():
        if names := {name for name in IMPORT.findall(code) if name[0] != "."}:
            foreign.setdefault(path.split("/")[0], set()).update(names)
    assert foreign == {"react": {"react"}, "ai": {"ai"}, "node": {"node:fs"}}


def test_its_modules_have_nothing_that_the_engine_of_react_native_refuses(package: Path) -> None:
    # Hermes knows neither, and refuses the whole bundle.
    refused = re.compile(r"\bimport\s*[.(]")
    assert [path for path, code in code_of(package).items() if refused.search(code)] == []
    assert refused.search(SERVED.read_text()), "the client that is served knows its server by it"


def test_the_hooks_are_marked_as_the_clients(package: Path) -> None:
    # Next.js renders a module on the server alone otherwise, where there are no hooks.
    assert (package / "react" / "index.js").read_text().startswith('"use client";')


@pytest.mark.parametrize("resolution", ["bundler", "nodenext"])
def test_its_types_are_right_for_programs_that_check_them_too(project: Path, resolution: str) -> None:
    module = "esnext" if resolution == "bundler" else "nodenext"
    options = ("--module", module, "--moduleResolution", resolution, "--skipLibCheck", "false")
    assert compiled(project, *options, "consumer.ts") == ""


def test_its_types_ask_for_nothing_that_only_browsers_have(package: Path) -> None:
    said = compiled(package, "--lib", "es2024", "waypost.d.ts")
    assert set(re.findall(r"Cannot find name '(\w+)'", said)) == {"AbortSignal", "EventTarget", "Response"}
    assert len(re.findall("error TS", said)) == said.count("Cannot find name")


@every_sdk
def test_its_transport_is_one_of_the_ai_sdk(project_of: Callable[[str], Path], sdk: str) -> None:
    options = ("--module", "nodenext", "--moduleResolution", "nodenext", "--skipLibCheck")
    assert compiled(project_of(sdk), *options, "consumer-ai.ts") == ""


@pytest.mark.parametrize(("code", "budget"), BUDGETS.items())
def test_what_a_page_loads_stays_within_its_size(project: Path, code: str, budget: int) -> None:
    options = ("--bundle", "--minify", "--format=esm", "--platform=neutral", "--external:react", "--external:ai")
    done = subprocess.run(
        [MODULES / ".bin" / "esbuild", *options, "--external:node:fs"],
        cwd=project,
        input=code,
        capture_output=True,
        text=True,
        check=True,
    )
    size = len(gzip.compress(done.stdout.encode()))
    assert budget * 0.8 < size <= budget, f"{code} {size} bytes"


@pytest.mark.parametrize("name", TESTS)
def test_it_does_what_its_tests_say(project: Path, name: str) -> None:
    run_node_tests(project / f"{name}.test.mjs", MANUAL=str(MANUAL), WAYPOST_URL="")


@every_sdk
def test_it_serves_the_ai_sdk(project_of: Callable[[str], Path], sdk: str) -> None:
    run_node_tests(project_of(sdk) / "ai.test.mjs", UI_MESSAGES=json.dumps(rendered_histories()), WAYPOST_URL="")


def rendered_histories() -> list[dict[str, object]]:
    """Histories as the client reads them, and as the server renders them for the AI SDK."""
    png = "data:image/png;base64,iVBORw0KGgo="
    events = [
        ToolEvent("call", "c1", "look", {"at": 1}, text=2, reasoning=1),
        ToolEvent("progress", "c1", value="half", text=2, reasoning=1),
        ToolEvent("progress", "c1", value={"done": 1}, text=2, reasoning=1),
        ToolEvent("call", "c2", "add", None, text=2, reasoning=1),
        ToolEvent("result", "c1", value=None, text=2, reasoning=1),
        ToolEvent(
            "result", "c2", value={"code": "tool_error", "message": "No room."}, is_error=True, text=2, reasoning=1
        ),
        ToolEvent("call", "c3", "add", {"text": "é"}, text=2, reasoning=1, step=1),
        ToolEvent("result", "c3", value=["plain", 1], is_error=True, text=2, reasoning=1, step=1),
        ToolEvent("call", "c4", "add", {}, text=7, reasoning=4, step=2),
    ]
    histories = {
        "nothing": [],
        "a question and its answer": [
            ChatMessage("q", "user", "Hello", 1_790_000_000_000),
            ChatMessage("a", "assistant", "Hi 👋", 1_790_000_001_234, reasoning="Greet."),
        ],
        "an answer without text, one that was broken off, and other content": [
            ChatMessage("a", "assistant", "", 0, partial=True),
            ChatMessage("b", "assistant", "Half", 0, partial=True),
            ChatMessage("c", "system", {"rule": [1, None]}, 0),
            ChatMessage("d", "user", [], 0),
        ],
        "parts": [
            ChatMessage(
                "q",
                "user",
                [
                    {"type": "text", "text": "Look."},
                    {"type": "image_url", "image_url": {"url": png}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "input_audio", "data": "x"},
                    {"type": "text"},
                ],
                5,
            )
        ],
        "calls of an agent": [
            ChatMessage(
                "a", "assistant", "Wait.", 5, tool_calls=[ToolCall("c1", "look", {"at": 1}), ToolCall("c2", "add")]
            ),
            ChatMessage("t", "tool", {"found": True}, 6, tool_call_id="c1"),
        ],
        "calls of an answer": [
            ChatMessage("a", "assistant", "👋🏽 text, and more", 5, reasoning="R1R2R3", tool_events=events)
        ],
        "an answer that ended with a call": [
            ChatMessage("a", "assistant", "", 5, partial=True, tool_events=[ToolEvent("call", "c", "look", 1)])
        ],
    }
    return [
        {
            "name": name,
            "history": json.loads(msgspec.json.encode(conversation_view("s", History(items, None)))),
            "rendered": json.loads(msgspec.json.encode(to_ui_messages(items))),
        }
        for name, items in histories.items()
    ]


def test_a_package_whose_types_are_wrong_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = tmp_path / "added"
    shutil.copytree(ROOT / "clients" / "javascript", added)
    with (added / "node" / "index.js").open("a") as module:
        module.write("\n/** @returns {number} */\nexport const wrong = () => 'a text';\n")
    monkeypatch.setattr("tools.npm_package.assemble.ADDED", added)
    with pytest.raises(PackageProblem, match="not assignable to type 'number'"):
        assemble(tmp_path / "made")


def test_a_published_package_names_the_repository_that_it_was_made_from() -> None:
    assert "repository" not in manifest("1.2.3")
    repository = manifest("1.2.3", "https://github.com/a/b")["repository"]
    assert repository == {"type": "git", "url": "git+https://github.com/a/b.git"}
