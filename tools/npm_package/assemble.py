"""Makes the folder of the npm package: the client as src/site has it, and over it what lies in clients/javascript.

Both have the same layout, so their imports of each other are right in the package. Nothing is bundled: what users debug
is what is in this repository.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.local.local_worker import BUILD_DIR, ROOT
from tools.npm_package.manifest import ENTRIES, manifest
from tools.release import PLACES

CLIENT = ROOT / "src" / "site"
ADDED = ROOT / "clients" / "javascript"
PACKAGE = BUILD_DIR / "package" / "waypost"

OWN_TYPES = ("waypost.d.ts",)
"""Types that the client has already; those of the other entries are made here."""

NOT_PUBLISHED = frozenset({"tsconfig.json", "outside.d.ts"})
"""Files of `ADDED` that only its checks need."""

TSC = ROOT / "node_modules" / ".bin" / "tsc"
TYPES = (
    *("--ignoreConfig", "--allowJs", "--checkJs", "--strict", "--skipLibCheck"),
    *("--declaration", "--emitDeclarationOnly", "--target", "es2024", "--lib", "es2024,dom,dom.iterable"),
    *("--module", "nodenext", "--types", ""),
)


class PackageProblem(Exception):
    """The package can't be made; the message says why."""


def version() -> str:
    """Return the project's version."""
    file, pattern = PLACES[0]
    found = pattern.search((ROOT / file).read_text())
    if found is None:
        raise PackageProblem(f"{file} has no version where it is expected.")
    return found[1]


def assemble(target: Path = PACKAGE, repository: str = "") -> Path:
    """Make the package in `target`, in place of what is there, and return it. Raises `PackageProblem`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("waypost.js", *OWN_TYPES):
        shutil.copyfile(CLIENT / name, target / name)
    shutil.copytree(CLIENT / "client", target / "client")
    shutil.copytree(ADDED, target, dirs_exist_ok=True, ignore=lambda _, names: NOT_PUBLISHED & set(names))
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")
    (target / "package.json").write_text(json.dumps(manifest(version(), repository), indent=2) + "\n")
    declare(target)
    return target


def declare(package: Path) -> None:
    """Write the types of the entries that have none yet. Raises `PackageProblem` with what the compiler says."""
    entries = [f"{file}.js" for file in ENTRIES.values() if not (package / f"{file}.d.ts").exists()]
    with tempfile.TemporaryDirectory(dir=package.parent, prefix="types-") as folder:
        # What the modules import, wherever the package is made.
        modules = package / "node_modules"
        modules.symlink_to(ROOT / "node_modules")
        places = ("--rootDir", str(package), "--outDir", folder)
        command = [str(TSC), *TYPES, *places, *entries, str(ADDED / "outside.d.ts")]
        done = subprocess.run(command, cwd=package, capture_output=True, text=True)
        modules.unlink()
        if done.returncode != 0:
            raise PackageProblem(f"The types could not be made:\n{done.stdout.strip()}{done.stderr.strip()}")
        # Those of the client's modules are in its one file: a class that were declared twice would be two types.
        shutil.rmtree(Path(folder) / "client", ignore_errors=True)
        shutil.copytree(folder, package, dirs_exist_ok=True)


def pack(package: Path, folder: Path) -> Path:
    """Pack the package as npm publishes it, into `folder`, and return the archive. Raises `PackageProblem`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True)
    if done.returncode != 0:
        raise PackageProblem(f"npm could not pack it: {done.stderr.strip()}")
    name: str = json.loads(done.stdout)[0]["filename"]
    return folder / name
