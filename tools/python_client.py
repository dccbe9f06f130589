"""`npm run python-client`: writes the synchronous twin of the Python client from the asynchronous one, which is written
by hand. `--check` only says whether it is as it should be.

The twins differ in words alone: what needs a clock, a socket or a thread is in a driver, and there is one for each.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "clients/python/src/waypost"
BY_HAND = {"__init__.py", "driver.py"}
HEAD = "# Made from `waypost/_async/{name}` by `npm run python-client`: change that one.\n"

WORDS = (
    (r"async (def|for|with) ", r"\1 "),
    (r"async with", "with"),
    (r"await ", ""),
    (r"AsyncGenerator\[(.+?), None\]", r"Generator[\1, None, None]"),
    (r"Async([A-Z])", r"\1"),
    (r"__a(iter|next|enter|exit)__", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\banext\(", "next("),
    (r"asyncio\.CancelledError", "KeyboardInterrupt"),
    (r"import asyncio\n", ""),
    (r"waypost\._async", "waypost._sync"),
    (r"that is cancelled takes", "that is interrupted (Ctrl-C) takes"),
)


def twin(text: str, name: str) -> str:
    """The synchronous twin of a module, not yet laid out."""
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return HEAD.format(name=name) + text


def twins() -> dict[Path, str]:
    """Each file that is made, and what it should say."""
    names = [path.name for path in sorted((PACKAGE / "_async").glob("*.py")) if path.name not in BY_HAND]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (Path(folder) / name).write_text(twin((PACKAGE / "_async" / name).read_text(), name))
        for arguments in (["check", "--fix-only", "--select", "I"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "-q", "--config", "pyproject.toml", folder]
            subprocess.run(command, cwd=ROOT, check=True)
        return {PACKAGE / "_sync" / name: (Path(folder) / name).read_text() for name in names}


def main(arguments: list[str]) -> int:
    """0 if the files are, or now are, up to date."""
    stale = {path: text for path, text in twins().items() if not path.exists() or path.read_text() != text}
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what {path.name} of _async makes: npm run python-client")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
