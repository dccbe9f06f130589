"""What a release consists of and is made with, as a CycloneDX document: `npm run sbom -- FILE`.

It is made from the locks alone, so the same commit always gives the same bytes. What runs in the Worker is `required`.
What only builds and tests it is `excluded`, which is CycloneDX's word for parts that are not in what is shipped.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.local.local_worker import ROOT

SPECIFICATION = "1.6"
SHIPPED, TOOLS = "requirements-worker.txt", "requirements-dev.txt"

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("7d9b8a3a-5c0e-5b0e-9a3c-6d1f2a4b8c10")


def requirements(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, version and SHA-256 digests of each package in the text of a requirements file."""
    for name, version, rest in _REQUIREMENT.findall(text):
        yield name, version, _HASH.findall(rest)


def python_components(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return the components for packages of Python, by their purl."""
    found: dict[str, dict[str, Any]] = {}
    # What is shipped comes second: it is `required` also where the tools have it as well.
    for lock, scope in ((TOOLS, "excluded"), (SHIPPED, "required")):
        for name, version, digests in requirements((root / lock).read_text()):
            purl = f"pkg:pypi/{name}@{version}"
            found[purl] = {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "scope": scope,
                "purl": purl,
                # The lock has a digest for each file of the release: one for each platform.
                "externalReferences": [
                    {
                        "type": "distribution",
                        "url": purl,
                        "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests],
                    }
                ],
            }
    return found


def npm_components(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return the components for packages of npm, by their purl; none is shipped, since pages are made of src/site."""
    found: dict[str, dict[str, Any]] = {}
    for path, package in json.loads((root / "package-lock.json").read_text())["packages"].items():
        if not path or package.get("link"):
            continue
        name = package.get("name") or path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": package["version"],
            "scope": "excluded",
            "purl": purl,
        }
        if "license" in package:
            component["licenses"] = [{"license": {"name": package["license"]}}]
        if algorithm := re.fullmatch(r"sha512-([A-Za-z0-9+/=]+)", package.get("integrity", "")):
            component["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(algorithm[1]).hex()}]
        found[purl] = component
    return found


def sbom(root: Path = ROOT) -> dict[str, Any]:
    """Return the document for the project in `root`."""
    project = json.loads((root / "package.json").read_text())
    components = [*python_components(root).values(), *npm_components(root).values()]
    name, version = project["name"], project["version"]
    ref = f"pkg:generic/{name}@{version}"
    shipped = [component["bom-ref"] for component in components if component["scope"] == "required"]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ref,
                "name": name,
                "version": version,
                "purl": ref,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": sorted(components, key=lambda component: str(component["purl"])),
        "dependencies": [{"ref": ref, "dependsOn": sorted(shipped)}],
    }
    return document | {"serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))}"}


def text(root: Path = ROOT) -> str:
    """Return the document as it is written."""
    return json.dumps(sbom(root), ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Write the document into the file that the command line names and return the exit status."""
    if len(sys.argv) != 2:
        print("Name the file to write: npm run sbom -- waypost.cdx.json", file=sys.stderr)
        return 1
    Path(sys.argv[1]).write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
