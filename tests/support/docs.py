"""The pages of the documentation, and what tests look for in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "waypost_worker"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}


def page(name: str) -> str:
    """The text of a page, by its path from the root."""
    return (ROOT / name).read_text()


def words(name: str) -> str:
    """The same on one line, so that a sentence is found wherever its lines break."""
    return " ".join(page(name).split())


def without_code(text: str) -> str:
    """`text` without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What a link's fragment can name: GitHub's id of each heading."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path, text: str) -> list[str]:
    """The relative links of `text`, the page at `path`, that lead to no file, or to no heading of it."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, fragment = link.partition("#")
        target = path.parent / file if file else path
        is_there = target.exists() and (not fragment or fragment in anchors(target.read_text()))
        if not is_there:
            broken.append(link)
    return broken


def missing_paths(text: str) -> list[str]:
    """The paths of code in `text`, in backticks, that do not exist: from the root, or within the package. A name with a
    slash at its end counts where it begins with a folder of the root."""
    paths = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/(?:[\w.-]+\.(?:py|mjs|js|ts|json|toml|yml|txt|md))?)`", text)
    named = [path for path in paths if not path.endswith("/") or path.split("/")[0] in FOLDERS]
    return [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()]


def table_rows(text: str, heading: str) -> list[list[str]]:
    """The cells of each row of the first table below `heading`, without its head."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    found = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert found
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()[2:]]


def examples(text: str) -> dict[str, tuple[str, str]]:
    """The shell examples of a page by their name: the script, and what it prints, which has `…` for what differs each
    time."""
    blocks = re.findall(
        r"<!-- example: (.+?) -->\n```sh\n(.*?)```\n(?:(?!<!--).)*?```(?:json|text)\n(.*?)```", text, re.DOTALL
    )
    return {name: (script, printed) for name, script, printed in blocks}


def is_printed(printed: str, output: str) -> bool:
    """Whether `output` is what a page says is `printed`."""
    pattern = ".*?".join(map(re.escape, printed.split("…")))
    return re.fullmatch(pattern, output) is not None
