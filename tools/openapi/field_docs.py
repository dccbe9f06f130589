"""What each field of a struct means: the docstrings below the fields in the service's source.

Python drops a string that stands below a field, so the texts cost the Worker neither time nor memory; here the source
is read again.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import msgspec

Texts = dict[str, dict[str, str]]


def docs_by_type(type_: type) -> Texts:
    """The texts of `type_` and of every struct in its fields: name of the type -> name on the wire -> text."""
    return {cls.__name__: field_docs(cls) for cls in structs_in(type_)}


def field_docs(cls: Any) -> dict[str, str]:
    """The texts of a struct's fields, its own and those of its bases, by their names on the wire."""
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        module = inspect.getmodule(base)
        if module is not None and issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            texts |= _docs_of_module(module).get(base.__name__, {})
    names = {field.name: field.encode_name for field in msgspec.structs.fields(cls)}
    tag = cls.__struct_config__.tag_field
    return {names[name]: text for name, text in texts.items()} | ({tag: "Which kind this is."} if tag else {})


def structs_in(type_: type) -> Iterator[type]:
    """`type_`, if it is a struct, and every struct that its values may contain."""
    found: dict[type, None] = {}
    _collect(msgspec.inspect.type_info(type_), found)
    return iter(found)


def _collect(info: Any, found: dict[type, None]) -> None:
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in found:
            return
        found[info.cls] = None
    if isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field):
        for name in info.__struct_fields__:
            _collect(getattr(info, name), found)
    elif isinstance(info, tuple):
        for item in info:
            _collect(item, found)


@cache
def _docs_of_module(module: ModuleType) -> Texts:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: _docs_of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _docs_of_class(node: ast.ClassDef) -> dict[str, str]:
    texts = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = " ".join(text.split())
    return texts
