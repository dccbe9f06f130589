"""`npm run openapi`: writes the document and the commands. `--check` only says whether they are as they should be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.openapi import COMMANDS, PATH
from tools.openapi.commands import make_commands
from tools.openapi.document import make_document


def texts() -> dict[Path, str]:
    """The files, a line for each value, so that a change can be read."""
    made = {PATH: make_document(), COMMANDS: make_commands()}
    return {path: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for path, value in made.items()}


def main(arguments: list[str]) -> int:
    """0 if the files are, or now are, up to date."""
    made = texts()
    if arguments == ["--check"]:
        return 0 if all(path.exists() and path.read_text() == text for path, text in made.items()) else 1
    for path, text in made.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
