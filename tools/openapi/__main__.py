"""`npm run openapi`: writes the document. `--check` only says whether it is as it should be."""

from __future__ import annotations

import json
import sys

from tools.openapi import PATH
from tools.openapi.document import make_document


def text() -> str:
    """The document as it is served, a line for each value, so that a change of it can be read."""
    return json.dumps(make_document(), ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """0 if the file is, or now is, up to date."""
    made = text()
    if arguments == ["--check"]:
        return 0 if PATH.exists() and PATH.read_text() == made else 1
    PATH.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
