"""The bill of materials names each locked package once, in the form of CycloneDX, and is the same each time."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tools.local.local_worker import ROOT
from tools.sbom import requirements, sbom, text
from waypost_worker.version import VERSION

DOCUMENT = sbom()
COMPONENTS = {component["purl"]: component for component in DOCUMENT["components"]}


def test_it_is_of_the_form_of_cyclonedx() -> None:
    schemas = importlib.resources.files("cyclonedx.schema") / "_res"

    def read(name: str) -> dict[str, object]:
        schema: dict[str, object] = json.loads((schemas / name).read_text())
        return schema

    files = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    registry = jsonschema_rs.Registry([(f"http://cyclonedx.org/schema/{name}", read(name)) for name in files])
    validator = jsonschema_rs.validator_for(read("bom-1.6.SNAPSHOT.schema.json"), registry=registry)

    assert [error.message for error in validator.iter_errors(DOCUMENT)] == []
    assert [*validator.iter_errors({**DOCUMENT, "components": [{"name": "x"}]})]


def test_what_runs_in_the_worker_is_required_and_all_else_excluded() -> None:
    required = {name for name, component in COMPONENTS.items() if component["scope"] == "required"}

    assert required == {
        f"pkg:pypi/{name}@{version}"
        for name, version, _ in requirements((ROOT / "requirements-worker.txt").read_text())
    }
    assert {name.partition("@")[0] for name in required} == {"pkg:pypi/msgspec", "pkg:pypi/workers-runtime-sdk"}
    assert DOCUMENT["dependencies"] == [{"ref": f"pkg:generic/waypost@{VERSION}", "dependsOn": sorted(required)}]


def test_every_locked_package_is_named_with_the_digests_of_its_lock() -> None:
    for lock in ("requirements-dev.txt", "requirements-worker.txt"):
        lines = (ROOT / lock).read_text().splitlines()
        wanted = {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}
        assert wanted <= {f"{component['name']}=={component['version']}" for component in COMPONENTS.values()}
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    of_npm = {
        f"{one.get('name') or path.rpartition('node_modules/')[2]}@{one['version']}"
        for path, one in packages.items()
        if path
    }
    assert of_npm == {f"{one['name']}@{one['version']}" for purl, one in COMPONENTS.items() if "pkg:npm" in purl}
    # `npm ci` compares what it installs with these; without one it takes anything.
    assert [purl for purl, one in COMPONENTS.items() if not _digests(one)] == []


def _digests(component: dict[str, Any]) -> list[Any]:
    found: list[Any] = component.get("hashes") or component.get("externalReferences", [{"hashes": []}])[0]["hashes"]
    return found


def test_the_requirements_are_read_with_all_their_digests() -> None:
    a, b = "a" * 64, "b" * 64
    lines = ["one==1.0 \\", f"    --hash=sha256:{a} \\", f"    --hash=sha256:{b}"]
    lock = "\n".join([*lines, "two==2 ; python_version < '4' \\", f"    --hash=sha256:{a}", ""])

    assert list(requirements(lock)) == [("one", "1.0", [a, b]), ("two", "2", [a])]


@pytest.mark.parametrize("name", ["@scope/package", "alias"])
def test_a_package_of_npm_has_its_own_name(tmp_path: Path, name: str) -> None:
    for lock in ("requirements-dev.txt", "requirements-worker.txt"):
        (tmp_path / lock).write_text("")
    (tmp_path / "package.json").write_text('{"name": "p", "version": "1.0.0", "license": "MIT"}')
    real = {"name": "real"} if name == "alias" else {}
    lock = {"packages": {"": {}, f"node_modules/x/node_modules/{name}": {"version": "2.0.0", **real}}}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))

    (component,) = sbom(tmp_path)["components"]

    assert (
        component["purl"] == {"alias": "pkg:npm/real@2.0.0", "@scope/package": "pkg:npm/%40scope/package@2.0.0"}[name]
    )
    assert "hashes" not in component


def test_the_same_locks_give_the_same_document() -> None:
    assert text() == text()
    assert json.loads(text()) == DOCUMENT
