"""The tree of errors as it is drawn is the tree as it is; every error that can be raised has a code and a title."""

import re

import pytest

from waypost_worker import errors
from waypost_worker.errors import WaypostError
from waypost_worker.http.messages import STATUS

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, WaypostError)]


def drawn() -> dict[str, str]:
    """Error -> its base, as the module's docstring draws them."""
    tree: dict[str, str] = {}
    base = ""
    for line in (errors.__doc__ or "").partition("\nWaypostError\n")[2].splitlines():
        if branch := re.match(r"[├└]── (\w+)", line):
            base = branch[1]
            tree[base] = "WaypostError"
        tree |= dict.fromkeys(set(re.findall(r"\w+", line)) - {base}, base)
    return tree


def test_the_tree_is_drawn_as_it_is():
    assert drawn() == {cls.__name__: cls.__mro__[1].__name__ for cls in CLASSES if cls is not WaypostError}


def test_each_code_belongs_to_one_error_and_has_a_status():
    codes = [cls.code for cls in CLASSES if hasattr(cls, "code")]
    assert len(set(codes)) == len(codes)
    assert set(codes) == set(STATUS)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if not cls.__subclasses__()])
def test_every_error_without_a_kind_of_its_own_has_a_code_and_a_title(cls: type[WaypostError]):
    assert cls.code
    assert cls.title
