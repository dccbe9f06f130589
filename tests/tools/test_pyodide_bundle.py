"""The bundle is the message workerd reads, and is written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import capnp
import pytest

from tools.local.local_worker import BUNDLE_DIR, BUNDLE_NAME, ROOT
from tools.pyodide.bundle import SCHEMA, Module, build, encode, pyodide_modules
from tools.pyodide.glue import GlueChangedError

MODULES = [
    Module("pyodide.asm", "src", "export {};  // ü".encode()),
    Module("pyodide.asm.wasm", "wasm", b"\0asm\1\0\0\0"),
    Module("python_stdlib.zip", "data", bytes(range(256))),
]


def test_a_message_holds_what_was_put_in() -> None:
    with capnp.load(str(SCHEMA)).Bundle.from_bytes(encode(MODULES)) as bundle:
        read = [(module.name, module.which(), getattr(module, module.which())) for module in bundle.modules]
        types = {str(module.type) for module in bundle.modules}

    assert read == [(f"pyodideRuntime-internal:{name}", kind, content) for name, kind, content in MODULES]
    assert types == {"internal"}


def test_the_framing_is_one_unpacked_segment() -> None:
    message = encode([Module("a", "data", b"12345678")])

    # Stream framing: number of segments less one, then the words of the first.
    assert int.from_bytes(message[:4], "little") == 0
    assert int.from_bytes(message[4:8], "little") * 8 == len(message) - 8
    assert b"12345678" in message


def test_the_bundle_in_use_was_built_from_the_package() -> None:
    assert (BUNDLE_DIR / BUNDLE_NAME).read_bytes() == encode(pyodide_modules(ROOT / "node_modules" / "pyodide"))


def test_a_changed_glue_script_leaves_no_bundle_behind(tmp_path: Path) -> None:
    shutil.copy(ROOT / "package.json", tmp_path)
    packages = tmp_path / "node_modules"
    for package in ("wrangler", "workerd"):
        (packages / package).mkdir(parents=True)
        shutil.copy(ROOT / "node_modules" / package / "package.json", packages / package)
    (packages / "workerd" / "bin").symlink_to(ROOT / "node_modules" / "workerd" / "bin")
    shutil.copytree(ROOT / "node_modules" / "pyodide", packages / "pyodide")
    (packages / "pyodide" / "pyodide.asm.mjs").write_text("export default 1;")

    with pytest.raises(GlueChangedError):
        build(tmp_path, tmp_path / "bundle")

    assert not (tmp_path / "bundle").exists()
