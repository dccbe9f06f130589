"""The files that are served: bundles of src/site's modules, and the rest of it as it is."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from tools.local.local_worker import ROOT
from tools.site_files import ENTRY_POINTS, NETWORK, SHARING, SOURCE, TAG, SiteError, files_of, is_verbatim, make_site

MAX_TAG_BYTES = 10_000
"""Compressed."""

NAMED = re.compile(r'(?:src|href)="(/[^"#]+)"')
LOADED = re.compile(r'<(?:link(?! rel="apple-touch-icon")|script)[^>]* (?:src|href)="(/[^"#]+)"')
"""What a browser asks for to show a page: no links, and no icon that only an installed app has."""
IMPORTED = re.compile(r'(?:\bfrom|\bimport)\s*"(\.[^"]+)"')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "served"
    make_site(SOURCE, folder)
    return folder


def little_source(folder: Path) -> Path:
    """A site of one line a file."""
    for name in ENTRY_POINTS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("/* nothing */" if name.endswith(".css") else 'import "/vendor/later.js";')
    (folder / "waypost.js").write_text('export { one } from "./one.js";')
    (folder / "one.js").write_text("export const one = 1;")
    (folder / "index.html").write_text('<script type="module" src="/console/main.js"></script>')
    return folder


def stamps(folder: Path) -> dict[Path, int]:
    return {path: (folder / path).stat().st_ino for path in files_of(folder)}


@pytest.mark.parametrize("page", ["index.html", "docs/index.html"])
def test_whatever_a_page_names_is_there(served: Path, page: str) -> None:
    named = NAMED.findall((served / page).read_text())
    assert any(path.endswith("/main.js") for path in named)
    assert [path for path in named if not (served / path[1:]).exists()] == []


def test_whatever_a_bundle_imports_is_a_chunk_that_imports_nothing_further(served: Path) -> None:
    # Two levels, so two round trips, whatever the modules import from each other.
    entries = [path for path in files_of(served) if path.suffix == ".js" and path.parts[0] != "chunks"]
    imports = {path: IMPORTED.findall((served / path).read_text()) for path in entries}
    assert any(imports.values())
    for path, names in imports.items():
        for name in names:
            chunk = (served / path.parent / name).resolve()
            assert chunk.parent == served / "chunks"
            assert IMPORTED.findall(chunk.read_text()) == []


@pytest.mark.parametrize("page", ["index.html", "docs/index.html"])
def test_a_page_asks_for_no_more_than_a_dozen_files(served: Path, page: str) -> None:
    named = set(LOADED.findall((served / page).read_text()))
    assert "/console/theme.js" in named
    chunks = {
        chunk for path in named if path.endswith(".js") for chunk in IMPORTED.findall((served / path[1:]).read_text())
    }
    assert chunks
    assert len(named | chunks) < 12


def test_the_script_tag_is_one_small_file_that_is_a_script_and_a_module(served: Path) -> None:
    text = (served / TAG).read_text()
    # What every visitor of another site's page loads; the rest comes with the click.
    assert len(gzip.compress(text.encode())) < MAX_TAG_BYTES
    assert IMPORTED.findall(text) == IMPORTED.findall((served / SHARING).read_text()) == []
    parse = (
        "const { Script } = require('node:vm'); new Script(require('node:fs').readFileSync(process.argv[1], 'utf8'));"
    )
    node = ROOT / "node_modules/.bin/node"
    assert subprocess.run([node, "-e", parse, served / TAG], stderr=subprocess.DEVNULL).returncode == 0
    assert subprocess.run([node, "-e", parse, served / SHARING], stderr=subprocess.DEVNULL).returncode == 1
    assert f'"{SHARING}"' in text


def test_pages_of_other_origins_may_load_both_clients_and_their_chunks(served: Path) -> None:
    sections = re.split(r"\n(?=/)", (served / "_headers").read_text())
    shared = {section.partition("\n")[0] for section in sections if "Access-Control-Allow-Origin: *" in section}
    assert {"/waypost.js", "/webmcp.js", "/webmcp/*", "/chunks/*"} <= shared


def test_browsers_may_keep_chunks_for_good_and_nothing_else(served: Path) -> None:
    sections = re.split(r"\n(?=/)", (served / "_headers").read_text())
    kept = [section.partition("\n")[0] for section in sections if "Cache-Control" in section]
    assert kept == ["/chunks/*"]


def test_every_other_file_is_served_as_it_is(served: Path) -> None:
    verbatim = {path for path in files_of(SOURCE) if is_verbatim(path)}
    assert {Path("_headers"), Path("index.html"), Path("openapi.json"), Path("console/theme.js")} <= verbatim
    for path in verbatim:
        assert (served / path).read_bytes() == (SOURCE / path).read_bytes()


def test_no_module_is_served_but_in_a_bundle(served: Path) -> None:
    scripts = {path.as_posix() for path in files_of(served) if path.suffix in {".js", ".css", ".mjs"}}
    assert {name for name in scripts if not name.startswith("chunks/")} == {*ENTRY_POINTS, "console/theme.js"}


def test_the_client_exports_the_same_and_its_errors_have_the_same_names(served: Path) -> None:
    script = """
        const exported = async (path) =>
          Object.entries(await import(path)).map(([key, it]) => [key, it.prototype instanceof Error && it.name]).sort();
        console.log(JSON.stringify([await exported(process.argv[1]), await exported(process.argv[2])]));
    """
    command = [ROOT / "node_modules/.bin/node", "--input-type=module", "-e", script, SOURCE / "waypost.js"]
    (served / "package.json").write_text('{"type": "module"}')
    done = subprocess.run([*command, served / "waypost.js"], capture_output=True, text=True, check=True)
    (served / "package.json").unlink()
    source, bundled = json.loads(done.stdout)
    assert bundled == source
    assert ["ApiError", "ApiError"] in source
    assert ["Host", False] in source


def test_a_chunk_with_another_content_has_another_name_and_the_old_one_goes(tmp_path: Path) -> None:
    source, served = little_source(tmp_path / "source"), tmp_path / "served"
    (source / "console/main.js").write_text('import { one } from "../one.js"; console.log(one);')
    make_site(source, served)
    before = set((served / "chunks").glob("*.js"))
    (source / "one.js").write_text("export const one = 2;")
    make_site(source, served)
    after = set((served / "chunks").glob("*.js"))
    assert len(before) == len(after) == 1
    assert not before & after


def test_what_stays_the_same_is_not_touched_and_what_is_gone_goes(tmp_path: Path) -> None:
    source, served = little_source(tmp_path / "source"), tmp_path / "served"
    (source / "gone.txt").touch()
    make_site(source, served)
    before = stamps(served)
    (source / "gone.txt").unlink()
    (source / "index.html").write_text("<p>Changed")
    make_site(source, served)
    after = stamps(served)
    assert before.keys() - after.keys() == {Path("gone.txt")}
    assert {path for path in after if after[path] != before[path]} == {Path("index.html")}


@pytest.mark.parametrize("url", [None, "http://192.0.2.7:8787"])
def test_the_page_learns_where_the_network_finds_it(tmp_path: Path, url: str | None) -> None:
    source, served = little_source(tmp_path / "source"), tmp_path / "served"
    make_site(source, served, url)
    assert json.loads((served / NETWORK).read_text()) == {"url": url}


def test_an_error_is_told_where_it_is_and_leaves_what_was_served(tmp_path: Path) -> None:
    source, served = little_source(tmp_path / "source"), tmp_path / "served"
    make_site(source, served)
    before = stamps(served)
    (source / "one.js").write_text("export const one = ;")
    with pytest.raises(SiteError, match=r"one\.js:1:19"):
        make_site(source, served)
    assert stamps(served) == before
    assert {path.name for path in tmp_path.iterdir()} == {"source", "served"}
