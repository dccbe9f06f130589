"""What a docstring says about a function and its parameters, in the form that Google's style guide has."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns|Yields|Raises|Examples?|Notes?):\s*$", re.MULTILINE)
_PARAMETER = re.compile(r"^(\*{0,2}\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


def read_docstring(text: str | None) -> tuple[str, dict[str, str]]:
    """The description, up to the first section, and what the section `Args` says of each parameter."""
    if not text:
        return "", {}
    clean = inspect.cleandoc(text)
    pieces = _SECTION.split(clean)
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    arguments = next((sections[name] for name in ("Args", "Arguments", "Parameters") if name in sections), "")
    return pieces[0].strip(), _parameters(arguments)


def _parameters(section: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in inspect.cleandoc(section).splitlines():
        match = None if line.startswith((" ", "\t")) else _PARAMETER.match(line)
        if match:
            name = match[1].lstrip("*")
            found[name] = [match[2]]
        elif name:
            found[name].append(line.strip())
    return {name: " ".join(filter(None, lines)) for name, lines in found.items()}
