"""Builds the Pyodide bundle workerd would otherwise download, from the npm package `pyodide`.

The result is one Cap'n Proto message. With the compatibility flag `python_workers_development` workerd asks for the
bundle called `dev`, the only one whose checksum it does not compare, and reads it from the folder given as
`--pyodide-bundle-disk-cache-dir`.
"""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path
from typing import NamedTuple

import capnp

from tools.local.local_worker import BUNDLE_NAME
from tools.pyodide.glue import GlueChangedError, adapt
from tools.setup.pins import VersionError, check_installed, check_wanted_pyodide, read_pins

SCHEMA = Path(__file__).with_name("bundle.capnp")
MODULE_PREFIX = "pyodideRuntime-internal:"


class Module(NamedTuple):
    """One file inside the bundle; `kind` is a member of the schema's union."""

    name: str
    kind: str
    content: bytes


def pyodide_modules(package: Path) -> list[Module]:
    """Return the three modules workerd imports, from the folder of the npm package `pyodide`.

    Raises `GlueChangedError` where the glue script is not the one the substitutions were written for.
    """
    glue = adapt((package / "pyodide.asm.mjs").read_text(encoding="utf-8"))
    return [
        Module("pyodide.asm", "src", glue.encode()),
        Module("pyodide.asm.wasm", "wasm", (package / "pyodide.asm.wasm").read_bytes()),
        Module("python_stdlib.zip", "data", (package / "python_stdlib.zip").read_bytes()),
    ]


def encode(modules: list[Module]) -> bytes:
    """Return `modules` as one unpacked message in the standard stream framing."""
    message = capnp.load(str(SCHEMA)).Bundle.new_message()
    entries = message.init("modules", len(modules))
    for entry, module in zip(entries, modules, strict=True):
        entry.name = MODULE_PREFIX + module.name
        entry.type = "internal"
        setattr(entry, module.kind, module.content)
    encoded: bytes = message.to_bytes()
    return encoded


def build(root: Path, folder: Path) -> Path:
    """Write the bundle for the project at `root` into `folder` and return its path.

    The file is written atomically. Raises `VersionError` or `GlueChangedError` before anything is written.
    """
    pins = read_pins(root)
    check_installed(root, pins)
    program_path = root / "node_modules" / "workerd" / "bin" / "workerd"
    with program_path.open("rb") as program, mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as image:
        # Searched in place: the program is larger than 100 MB.
        check_wanted_pyodide(image, pins)
    encoded = encode(pyodide_modules(root / "node_modules" / "pyodide"))
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{BUNDLE_NAME}.{os.getpid()}"
    unfinished.write_bytes(encoded)
    return unfinished.replace(folder / BUNDLE_NAME)


def main() -> int:
    """Build into the folder named by the only argument and return the exit status; 1 after a sentence."""
    root = Path(__file__).resolve().parents[2]
    try:
        build(root, Path(sys.argv[1]))
    except (VersionError, GlueChangedError) as refusal:
        print(f"The Pyodide bundle was not built: {refusal}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
