"""A Python or Node that is too old or missing is reported in one sentence."""

from __future__ import annotations

import pytest

from tools.setup.prerequisites import check_node, check_python
from tools.setup.steps import BootstrapError


@pytest.mark.parametrize("version", [(3, 10, 13), (2, 7, 18)])
def test_an_old_python_gets_one_sentence(version: tuple[int, ...]) -> None:
    with pytest.raises(BootstrapError, match=r"^Waypost needs Python 3\.11 or newer and this is .*PYTHON="):
        check_python(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2), (4, 0, 0)])
def test_a_python_that_is_new_enough_passes(version: tuple[int, ...]) -> None:
    check_python(version)


@pytest.mark.parametrize("version", [None, "", "v18.19.0", "nonsense"])
def test_a_missing_or_old_node_gets_one_sentence(version: str | None) -> None:
    with pytest.raises(BootstrapError, match=r"^Waypost needs Node 20 or newer with npm and found "):
        check_node(version)


def test_a_node_without_npm_is_said_to_lack_it() -> None:
    with pytest.raises(BootstrapError, match=r"with npm and found v22\.1\.0 without npm; install it"):
        check_node("v22.1.0", has_npm=False)


@pytest.mark.parametrize("version", ["v20.20.2", "v22.1.0"])
def test_a_node_that_is_new_enough_passes(version: str) -> None:
    check_node(version)
