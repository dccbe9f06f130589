"""Test modules stand alone: what two of them need is in a module that is not a test."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


def imports_from_tests(source: str) -> list[str]:
    """What `source` imports from test modules of this repository, by its full name."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names]
    return [
        name
        for name in names
        if name.startswith(("tests.", ".")) and any(part.startswith("test_") for part in name.split("."))
    ]


def test_no_module_imports_from_a_test():
    found = {str(path.relative_to(TESTS)): imports_from_tests(path.read_text()) for path in TESTS.rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.queues.test_queue import Setting",
        "from tests.queues import test_queue",
        "from .test_queue import Setting",
        "import tests.queues.test_queue as queue",
        "def f():\n    from tests.test_app import client",
    ],
)
def test_an_import_from_a_test_is_found_in_each_of_its_forms(source: str):
    assert len(imports_from_tests(source)) == 1
