"""The layers: imports point downwards, JavaScript stays outside, and importing does nothing."""

import ast
import graphlib
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec
import pytest

SRC = Path(__file__).parents[2] / "src"
LAYERS = (
    ("entry",),
    ("cloudflare",),
    ("app",),
    ("handlers", "mcp"),
    ("context",),
    ("chat", "queues"),
    ("settings", "sessions"),
    ("models",),
    ("conversations", "documents", "polling", "http"),
    ("security", "kv", "telemetry"),
    ("sse", "base64url", "surrogates", "clock", "ids", "bounded_cache", "loop_failure"),
    ("random",),
    ("errors", "limits", "version"),
)
"""Packages and the modules beside them, outermost first: an import goes to a layer further down, or stays in its own
package. A new module in a package changes nothing here."""

RUNTIME = {"js", "pyodide", "workers", "_pyodide", "pyodide_js"}
FILES = sorted(SRC.rglob("*.py"))
PACKAGE = "waypost_worker"


def name_of(path: Path) -> str:
    """`entry` or what follows `waypost_worker.`; the package itself is the empty name."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(part for part in parts if part not in (PACKAGE, "__init__"))


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


def package_of(module: str) -> str:
    return module.split(".")[0]


def layer_of(module: str) -> int:
    [layer] = [number for number, names in enumerate(LAYERS) if package_of(module) in names]
    return layer


def upward_imports(module: str, tree: ast.AST) -> list[str]:
    """The imports that go up, or sideways into another package."""
    inside = [name.removeprefix(f"{PACKAGE}.") for name in imports_of(tree) if package_of(name) == PACKAGE]
    return [
        name
        for name in inside
        if package_of(name) != package_of(module)
        if name == PACKAGE or layer_of(name) <= layer_of(module)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


by_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@by_file
def test_every_import_points_downwards(path: Path):
    assert upward_imports(name_of(path), parsed(path)) == []


def test_the_layers_name_each_package_and_each_module_beside_them_once():
    names = [name for layer in LAYERS for name in layer]
    assert sorted(names) == sorted({package_of(name_of(path)) for path in FILES} - {""})


def test_the_docstring_of_the_package_lists_the_same_layers():
    text = ast.get_docstring(parsed(SRC / PACKAGE / "__init__.py")) or ""
    # A line of the list: names separated by commas, then, after two spaces or more, or on lines of their own, what.
    lines = re.findall(r"^ {4}(\S+(?:, \S+)*)(?: {2,}.*)?$", text, re.MULTILINE)
    assert [tuple(line.split(", ")) for line in lines] == list(LAYERS[1:])


def test_the_docstring_of_the_package_says_what_knows_javascript():
    text = ast.get_docstring(parsed(SRC / PACKAGE / "__init__.py")) or ""
    assert "the only package that knows JavaScript, with src/entry.py" in text
    assert {package_of(name_of(path)) for path in FILES if knows_javascript(path)} == {"cloudflare", "entry"}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("clock", "from waypost_worker.app import App"),
        ("clock", "import waypost_worker.app"),
        ("clock", "from waypost_worker.handlers import queues"),
        ("clock", "from waypost_worker.kv.store import Kv"),
        ("clock", "import waypost_worker"),
        ("queues.queue", "from waypost_worker.chat.turn import Turn"),
        ("mcp.tab", "from waypost_worker.handlers.queues import post_request"),
    ],
)
def test_an_upward_or_sideways_import_would_be_noticed(module: str, line: str):
    assert upward_imports(module, ast.parse(f"def f():\n    {line}")) != []


def test_an_import_within_a_package_or_downwards_is_allowed():
    assert upward_imports("queues.feed", ast.parse("from waypost_worker.queues.reader import Reader")) == []
    assert upward_imports("queues.feed", ast.parse("from waypost_worker.kv.store import Kv")) == []


@cache
def package_graph(package: str) -> dict[str, set[str]]:
    """Which modules of a package import which others of it."""
    return {
        name_of(path): {
            name.removeprefix(f"{PACKAGE}.")
            for name in imports_of(parsed(path))
            if name.startswith(f"{PACKAGE}.{package}.")
        }
        for path in FILES
        if package_of(name_of(path)) == package
    }


@pytest.mark.parametrize("package", sorted({package_of(name_of(path)) for path in FILES if "." in name_of(path)}))
def test_no_two_modules_of_a_package_need_each_other(package: str):
    graphlib.TopologicalSorter(package_graph(package)).prepare()


def test_the_modern_revision_of_mcp_does_not_stand_on_the_legacy_one():
    assert not [name for name in imports_of(parsed(SRC / PACKAGE / "mcp" / "modern.py")) if "legacy" in name]


def knows_javascript(path: Path) -> bool:
    return package_of(name_of(path)) in ("entry", "cloudflare")


@by_file
def test_only_the_outermost_files_know_javascript(path: Path):
    roots = {name.split(".")[0] for name in imports_of(parsed(path))}
    if knows_javascript(path):
        # The package itself has nothing to import.
        assert roots & RUNTIME or path.name == "__init__.py"
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
    "Wakeup",
    "Random",
    "Limiter",
    "Headers",
    "AnswerFormat",
    "Model",
    "HttpClient",
    "AiBinding",
    "BodySource",
    "Sinks",
    "TabTools",
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
    names = [f"{PACKAGE}.{name_of(path)}".rstrip(".") for path in FILES if not knows_javascript(path)]
    start = f"import sys; sys.path += [{str(SRC)!r}, {str(tmp_path)!r}]\n"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", start + PROGRAM, *names], capture_output=True, text=True, timeout=60
    )
    assert (result.stdout, result.stderr) == (f"imported {len(names)}\n", "")
