"""The glue script is adapted completely or refused."""

from __future__ import annotations

import pytest

from tools.pyodide.glue import PREAMBLE, SUBSTITUTIONS, GlueChangedError, Substitution, adapt, substitute

TWICE = Substitution("clock", "now()", "ourNow()", count=2)


def test_every_occurrence_is_replaced() -> None:
    assert substitute("a=now();b=now()", [TWICE]) == "a=ourNow();b=ourNow()"


def test_substitutions_are_made_in_order() -> None:
    steps = [Substitution("one", "a", "b", count=1), Substitution("two", "b", "c", count=1)]

    assert substitute("a", steps) == "c"


@pytest.mark.parametrize("text", ["nothing of the kind", "now()", "now()now()now()"], ids=["none", "fewer", "more"])
def test_another_number_of_occurrences_than_expected_is_refused(text: str) -> None:
    with pytest.raises(GlueChangedError) as refusal:
        substitute(text, [TWICE])

    assert "'clock' expected 'now()' 2 times" in str(refusal.value)
    assert f"found it {text.count('now()')} times" in str(refusal.value)


def test_a_script_of_another_pyodide_is_refused() -> None:
    with pytest.raises(GlueChangedError):
        adapt("export default _createPyodideModule;")


def test_an_adapted_script_imports_what_it_now_calls_and_evaluates_nothing() -> None:
    glue = "".join(each.pattern * each.count for each in SUBSTITUTIONS)

    adapted = adapt(glue)

    assert adapted.startswith(PREAMBLE)
    assert "eval(" not in adapted
    for name in ("newWasmModule", "wasmInstantiate", "monotonicDateNow", "getRandomValues", "patchedLoadLibData"):
        assert name in PREAMBLE
        assert f"{name}(" in adapted
