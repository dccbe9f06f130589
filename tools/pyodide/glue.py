"""Adapts Pyodide's glue script to workerd, by text substitutions.

workerd forbids code generation, clocks and randomness outside a request and offers replacements of its own, which the
glue script has to use. Each substitution states how often its pattern occurs; a script that differs is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GlueChangedError(Exception):
    """Raised where a substitution's pattern occurs another number of times than stated."""


@dataclass(frozen=True)
class Substitution:
    """Replace every occurrence of `pattern`, of which there must be `count`."""

    name: str
    pattern: str
    replacement: str
    count: int


WRAPPERS = (
    "addEventListener, getRandomValues, location, monotonicDateNow, newWasmModule, patchedApplyFunc, "
    "patchedLoadLibData, wasmInstantiate"
)
"""Names that workerd supplies; three are never called here, but shadow globals of the same name."""

PREAMBLE = f'import {{ {WRAPPERS} }} from "pyodide-internal:builtin_wrappers";\n'

NO_EVAL = '(()=>{throw new Error("eval is not available in a Worker")})()'

LOAD_LIB_DATA = (
    "function loadLibData(){"
    "const library=patchedLoadLibData(Module,libName,flags.rpath);"
    "return flags.loadAsync?Promise.resolve(library):library}"
    "function unusedLoadLibData(){"
)
"""The replacement takes the name. The original stays under another one, since finding its end would need a parser."""

SUBSTITUTIONS = (
    Substitution("compile wasm", "new WebAssembly.Module(", "newWasmModule(", 4),
    Substitution("instantiate wasm", "WebAssembly.instantiate(", "wasmInstantiate(", 2),
    Substitution("advancing clock", "Date.now()", "monotonicDateNow()", 22),
    Substitution("randomness", "crypto.getRandomValues(view)", "getRandomValues(Module,view)", 1),
    Substitution("eval of a compiled-in function", "=eval(func)", f"={NO_EVAL}", 2),
    Substitution("eval of a string in memory", "eval(UTF8ToString(ptr))", NO_EVAL, 3),
    Substitution("eval of a loaded script", "eval(data)", NO_EVAL, 1),
    Substitution("library contents", "function loadLibData(){", LOAD_LIB_DATA, 1),
    Substitution("library memory", "(getMemory(", "(Module.getMemoryPatched(Module,libName,", 1),
    Substitution(
        "named export",
        "export default _createPyodideModule;",
        "export{_createPyodideModule};export default _createPyodideModule;",
        1,
    ),
)


def substitute(text: str, substitutions: Sequence[Substitution]) -> str:
    """Return `text` with all `substitutions` made, in order.

    Raises `GlueChangedError` naming the first one whose pattern occurs another number of times than expected.
    """
    for each in substitutions:
        found = text.count(each.pattern)
        if found != each.count:
            raise GlueChangedError(
                f"the substitution {each.name!r} expected {each.pattern!r} {each.count} times "
                f"and found it {found} times"
            )
        text = text.replace(each.pattern, each.replacement)
    return text


def adapt(glue: str) -> str:
    """Return the glue script in the form workerd can run."""
    return PREAMBLE + substitute(glue, SUBSTITUTIONS)
