"""The layers: imports point downwards, JavaScript stays outside, and importing does nothing."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec
import pytest

SRC = Path(__file__).parent.parent / "src"
LAYERS = (
    {"entry"},
    {"cloudflare"},
    {"cloudflare_kv", "cloudflare_fetch", "cloudflare_bodies", "cloudflare_clock"},
    {"app"},
    {"routing"},
    {
        "handlers.sessions",
        "handlers.queues",
        "handlers.streams",
        "handlers.health",
        "handlers.debug",
        "handlers.threads",
        "handlers.documents",
        "handlers.pages",
        "handlers.voice",
        "handlers.chat",
        "handlers.conversations",
        "handlers.tokens",
        "handlers.mcp",
    },
    {"mcp.modern"},
    {"mcp.legacy", "mcp.modern_headers", "mcp.modern_streams", "mcp.tasks"},
    {"mcp.legacy_streams", "mcp.resources"},
    {"mcp.tool_call", "mcp.tool_list", "mcp.tool_news", "mcp.media", "mcp.outcome"},
    {"mcp.tab", "mcp.answer_feed"},
    {"mcp.sealed"},
    {"mcp.versions"},
    {"mcp.jsonrpc"},
    {"handlers.access", "handlers.answers", "handlers.chat_bodies"},
    {"handlers.call"},
    {"handlers.bodies", "handlers.parameters", "handlers.thread_views", "cors", "origins"},
    {"http"},
    {"chat", "fork", "voice"},
    {"chat_control", "answering", "answer_formats"},
    {"chat_ports", "exchange"},
    {"streaming", "waiting", "following", "open_answers"},
    {"feed"},
    {"delivery"},
    {"ordering"},
    {"model_choice"},
    {"openai_model", "workers_ai_model", "echo_model"},
    {"model_service", "chat_messages"},
    {"completion"},
    {"isolate", "session_watch", "thread_list", "pieces"},
    {
        "queue",
        "session",
        "joined",
        "conversation",
        "presence",
        "throttle",
        "invocation",
        "thread",
        "document",
        "page",
        "markdown",
    },
    {"message", "hints", "pacing", "model", "history", "versioned", "answer", "recent_threads", "transcript"},
    {"memory_kv", "metered_kv", "retrying_kv"},
    {"settings"},
    {
        "signing",
        "sse",
        "cursor",
        "etag",
        "ids",
        "keys",
        "plans",
        "model_settings",
        "sse_decoder",
        "ai_binding",
        "log_entry",
        "body_reading",
        "rate_limits",
    },
    {"kv", "clock", "random", "item", "http_client", "client_address"},
    {"limits", "errors", "browser_headers", "version", "bell", "", "handlers", "mcp"},
)
"""Outermost first. An import goes to a layer further down, never to its own."""

RUNTIME = {"js", "pyodide", "workers", "_pyodide", "pyodide_js"}
FILES = sorted(SRC.rglob("*.py"))


def name_of(path: Path) -> str:
    """`entry` or what follows `waypost.`; the package itself is the empty name."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(part for part in parts if part not in ("waypost", "__init__"))


def imports_of(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            is_package = (SRC / module.replace(".", "/")).is_dir()
            found |= {f"{module}.{alias.name}" for alias in node.names} if is_package else {module}
    return found


def layer_of(module: str) -> int:
    [layer] = [number for number, names in enumerate(LAYERS) if module in names]
    return layer


def upward_imports(module: str, tree: ast.AST) -> list[str]:
    own = layer_of(module)
    inside = [name.removeprefix("waypost.") for name in imports_of(tree) if name.split(".")[0] == "waypost"]
    return [name for name in inside if layer_of(name) <= own]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


by_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@by_file
def test_every_import_points_downwards(path: Path):
    assert upward_imports(name_of(path), parsed(path)) == []


def test_every_file_is_in_one_layer_and_every_name_is_a_file():
    names = [name for layer in LAYERS for name in layer]
    assert sorted(names) == sorted(map(name_of, FILES))


@pytest.mark.parametrize(
    "line",
    [
        "from waypost.app import App",
        "import waypost.app",
        "from waypost.handlers import queues",
        "from waypost.kv import Kv",
    ],
)
def test_an_upward_or_sideways_import_would_be_noticed(line: str):
    assert upward_imports("clock", ast.parse(f"def f():\n    {line}")) != []


def knows_javascript(path: Path) -> bool:
    return name_of(path) == "entry" or name_of(path).startswith("cloudflare")


@by_file
def test_only_the_outermost_files_know_javascript(path: Path):
    roots = {name.split(".")[0] for name in imports_of(parsed(path))}
    if knows_javascript(path):
        assert roots & RUNTIME
    else:
        assert not roots & RUNTIME


@by_file
def test_no_import_is_relative(path: Path):
    assert not [name for name in imports_of(parsed(path)) if name.startswith(".")]


@by_file
def test_every_module_says_what_it_owns(path: Path):
    assert ast.get_docstring(parsed(path))


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes and functions without a docstring."""
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


@by_file
def test_every_public_class_and_function_has_a_docstring(path: Path):
    # The entrypoint's contract is the platform's.
    assert name_of(path) == "entry" or undocumented(parsed(path)) == []


PORTS = {
    "Kv",
    "Clock",
    "Bell",
    "Random",
    "Limiter",
    "Headers",
    "AnswerFormat",
    "Model",
    "HttpClient",
    "AiBinding",
    "BodySource",
}


@cache
def port_methods() -> set[str]:
    classes = [node for path in FILES for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    return {
        method.name
        for port in classes
        if port.name in PORTS
        for method in port.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@by_file
def test_every_public_method_has_a_docstring_unless_its_port_or_base_has_it(path: Path):
    inherited = port_methods() | {"wants", "deliver", "forget"}
    bare = [
        f"{node.name}.{method.name}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and name_of(path) != "entry"
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        if not method.name.startswith("_") and not ast.get_docstring(method)
        if not (node.name not in PORTS and method.name in inherited)
    ]
    assert bare == []


PROGRAM = """
import sys, time, random, os, socket, datetime
def forbidden(*args, **kwargs):
    raise AssertionError("an effect at import")
import asyncio, importlib, msgspec, urllib.parse, hmac, enum, base64, traceback
import dataclasses
for module, names in ((time, "time time_ns monotonic sleep perf_counter"), (os, "urandom getrandom getenv"),
                      (random, "random randbytes getrandbits"), (socket, "socket")):
    for name in names.split():
        setattr(module, name, forbidden)
os.environ.clear()
# No new file is opened but source and bytecode.
def audit(event, args):
    if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so")) and ".pyc." not in str(args[0]):
        if not os.path.isdir(args[0]):
            raise AssertionError(f"opened {args[0]}")
    if event.startswith(("socket.", "subprocess.", "os.system")):
        raise AssertionError(event)
sys.addaudithook(audit)
for name in sys.argv[1:]:
    importlib.import_module(name)
assert not {"js", "pyodide", "workers"} & set(sys.modules)
print("imported", len(sys.argv) - 1)
"""


def test_the_package_imports_in_a_bare_interpreter_without_any_effect(tmp_path: Path):
    # The only third-party package that the Worker has beside the standard library.
    os.symlink(Path(msgspec.__file__).parent, tmp_path / "msgspec")
    names = [f"waypost.{name_of(path)}".rstrip(".") for path in FILES if not knows_javascript(path)]
    start = f"import sys; sys.path += [{str(SRC)!r}, {str(tmp_path)!r}]\n"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", start + PROGRAM, *names], capture_output=True, text=True, timeout=60
    )
    assert (result.stdout, result.stderr) == (f"imported {len(names)}\n", "")
