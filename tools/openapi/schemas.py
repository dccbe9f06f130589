"""The components of the document that are types of the service: msgspec's schemas of them, the docstrings of their
fields, and what types can't say."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from tools.openapi.field_docs import docs_by_type
from tools.openapi.grammars import Json
from tools.openapi.refinements import BY_FIELD, BY_NAME, PUBLISHED, WHOLE

PREFIX = "#/components/schemas/"


class Components:
    """The schemas that the document refers to, by name; each is added when it is first asked for."""

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}

    def reference(self, type_: type) -> Json:
        """A reference to the schema of `type_`, one of the service's structs.

        Raises:
            ValueError: another type has its name.
        """
        (schema,), found = msgspec.json.schema_components([type_], ref_template=PREFIX + "{name}")
        renamed = {name: public_name(name) for name in found}
        docs = docs_by_type(type_)
        for name, component in found.items():
            self.add(renamed[name], refined(renamed[name], _relinked(component, renamed), docs[name]))
        return {"$ref": PREFIX + renamed[schema["$ref"].removeprefix(PREFIX)]}

    def add(self, name: str, schema: Json) -> Json:
        """Add `schema` as the component `name`; a reference to it.

        Raises:
            ValueError: another one has this name.
        """
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}")
        return {"$ref": PREFIX + name}


def public_name(name: str) -> str:
    """What the type `name` is called in the document."""
    return PUBLISHED.get(name, name.lstrip("_").removesuffix("View"))


def refined(name: str, schema: Json, docs: Mapping[str, str]) -> Json:
    """The schema of the component `name` with what is known of its fields beyond their types. `docs`: their texts."""
    schema = {"title": name, **{key: value for key, value in schema.items() if key != "title"}}
    if "description" in schema:
        schema["description"] = " ".join(inspect.cleandoc(schema["description"]).split())
    for field, found in schema.get("properties", {}).items():
        more = BY_FIELD.get(f"{name}.{field}", BY_NAME.get(field, {}))
        _refine(found, {key: value for key, value in more.items() if key != "description"})
        # First what it is for, then what it may be.
        if texts := [text for text in (docs.get(field), more.get("description")) if text]:
            found["description"] = " ".join(texts)
    for key, value in WHOLE.get(name, {}).items():
        for field in set(value) - set(schema.get("required", [])) if key == "required" else ():
            _forbid_null(schema["properties"][field])
        schema[key] = value
    return schema


def _forbid_null(schema: Json) -> None:
    """A field that is asked for after all is not left out by saying null either."""
    schema.pop("default", None)
    for branch in schema.pop("anyOf", []):
        if branch.get("type") != "null":
            schema.update(branch)


def _refine(schema: Json, more: Json) -> None:
    """Add `more` to `schema`; where null is allowed as well, to the other branch of it; bounds to that of numbers."""
    branches = [branch for branch in schema.get("anyOf", []) if branch.get("type") != "null"]
    target = branches[0] if branches else schema
    numbers = next((branch for branch in branches if branch.get("type") == "number"), target)
    for key, value in more.items():
        (numbers if key in ("minimum", "maximum") else target)[key] = value


def _relinked(schema: Any, renamed: dict[str, str]) -> Any:
    if isinstance(schema, dict):
        return {
            key: PREFIX + renamed[value.removeprefix(PREFIX)] if key == "$ref" else _relinked(value, renamed)
            for key, value in schema.items()
        }
    return [_relinked(item, renamed) for item in schema] if isinstance(schema, list) else schema
