"""`npm run --silent package:try`: installs the packed package where it is to run, and uses it against a real Worker.

It needs the npm registry, and minutes: no test runs it. `-- node20 vite` tries only what is named.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError

from tools.local.harness.worker import LocalWorker, free_port
from tools.local.local_worker import ROOT
from tools.npm_package.assemble import PackageProblem, assemble, pack
from tools.npm_package.pages import try_page

PROGRAMS = Path(__file__).parent / "programs"
TESTS = ROOT / "tests" / "tools" / "npm_package"
PATIENCE_SECONDS = 600
SITE_PORT = free_port()
"""Where the trials with a page serve it: its origin has to be known when the Worker starts."""


class Failed(Exception):
    """What was tried does not work; the message says how."""


@dataclass
class Project:
    """A project of a user of the package, in a folder of its own; `url` is the Worker's."""

    folder: Path
    archive: Path
    url: str

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run a program in the project and return what it prints. Raises `Failed` with that."""
        process = self.start(*command, **variables)
        try:
            printed, _ = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            end(process)
            raise Failed(f"{' '.join(map(str, command))} did not end in {PATIENCE_SECONDS} s") from None
        if process.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{printed.strip()}")
        return printed

    def start(self, *command: str | Path, **variables: str) -> subprocess.Popen[str]:
        """Start a program in the project, whose lines can be read."""
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.folder,
            env=os.environ | {"WAYPOST_URL": self.url} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def bin(self, name: str) -> Path:
        """Return the path of an installed program."""
        return self.folder / "node_modules" / ".bin" / name


@dataclass(frozen=True)
class Trial:
    """`packages`: what the project has besides, at exact versions. `files`: what is copied into it."""

    run: Callable[[Project], None]
    packages: Sequence[str] = ()
    files: Sequence[Path] = field(default_factory=tuple)


def expect(got: object, expected: object) -> None:
    """Raise `Failed` unless the two are equal."""
    if got != expected:
        raise Failed(f"{got!r} in place of {expected!r}")


def in_runtime(*runtime: str) -> Callable[[Project], None]:
    """A program with all that the client does; then a host that is killed in a call, and goes on with it."""

    def run(project: Project) -> None:
        command: list[str | Path] = [project.folder / "node_modules" / runtime[0], *runtime[1:]]
        expect(project.run(*command, "roundtrip.mjs").strip(), "ok")
        host = project.start(*command, "host.mjs", "state")
        _, code = line_of(host)
        agent = project.start(*command, "agent.mjs", code, "work")
        try:
            expect(line_of(host), ["began", "call-work", "false"])
            end(host)
            host = project.start(*command, "host.mjs", "state")
            lines = sorted([line_of(host), line_of(host)])
            expect(lines, [["began", "call-work", "true"], ["code", code]])
            expect(line_of(agent), ['"done"'])
            expect(agent.wait(), 0)
        finally:
            end(host)
            end(agent)

    return run


def end(process: subprocess.Popen[str]) -> None:
    """Kill a program, and what it has started: some runtimes are started by a script."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def line_of(process: subprocess.Popen[str]) -> list[str]:
    """Return the words of the next line of its output."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def publint(project: Project) -> None:
    """What people publish by mistake."""
    project.run(project.bin("publint"), "--strict", project.archive)


def attw(project: Project) -> None:
    """Whether each way to resolve its types finds those of the module that runs."""
    project.run(project.bin("attw"), "--profile", "esm-only", project.archive)


def types_of_node(project: Project) -> None:
    """A program in TypeScript that has the types of Node and none of browsers, and checks those of its packages."""
    options = (
        "--noEmit",
        "--strict",
        "--target",
        "es2023",
        "--lib",
        "es2023",
        "--module",
        "nodenext",
        "--types",
        "node",
    )
    project.run(project.bin("tsc"), *options, "program.ts")


def hooks(project: Project) -> None:
    """The tests of the hooks, with another React."""
    for name in ("host", "guest", "threads", "server"):
        # They say what happens where no server is named.
        project.run(ROOT / "node_modules" / ".bin" / "node", "--test", f"{name}.test.mjs", WAYPOST_URL="")


def vite(project: Project) -> None:
    """A page in TypeScript: its types in both ways, the server for development, and what is built."""
    for config in ("tsconfig.json", "nodenext.json"):
        project.run(project.bin("tsc"), "-p", config)
    server = project.bin("vite")
    port = ("--port", str(SITE_PORT), "--strictPort", "--host", "127.0.0.1")
    serve(project, [server, *port], VITE_WAYPOST_URL=project.url)
    project.run(server, "build", VITE_WAYPOST_URL=project.url)
    serve(project, [server, "preview", *port], VITE_WAYPOST_URL=project.url)


def next_js(project: Project) -> None:
    """A page that is rendered on a server first."""
    server = project.bin("next")
    variables = {"NEXT_PUBLIC_WAYPOST_URL": project.url, "NEXT_TELEMETRY_DISABLED": "1"}
    project.run(server, "build", **variables)
    serve(project, [server, "start", "-p", str(SITE_PORT), "-H", "127.0.0.1"], **variables)


def serve(project: Project, command: Sequence[str | Path], **variables: str) -> None:
    """Serve the project's page, and use it in a browser."""
    server = project.start(*command, **variables)
    try:
        call = (ROOT / "node_modules" / ".bin" / "node", "agent.mjs")
        try_page(
            f"http://127.0.0.1:{SITE_PORT}",
            lambda code, by: json.loads(project.run(*call, code, "add", json.dumps({"by": by}))),
        )
    finally:
        end(server)


PROGRAM_FILES = (PROGRAMS / "roundtrip.mjs", PROGRAMS / "host.mjs", PROGRAMS / "agent.mjs")
TEST_FILES = (*TESTS.glob("*.mjs"), ROOT / "tests" / "client" / "fake-server.mjs")
REACT = ("react@19.3.1", "react-dom@19.3.1")
PAGE = (PROGRAMS / "agent.mjs",)

TRIALS = {
    "node20": Trial(in_runtime("node20/bin/node"), ["node20@npm:node@20.20.2"], PROGRAM_FILES),
    "node22": Trial(in_runtime("node22/bin/node"), ["node22@npm:node@22.23.3"], PROGRAM_FILES),
    "node24": Trial(in_runtime("node24/bin/node"), ["node24@npm:node@24.21.0"], PROGRAM_FILES),
    "bun": Trial(in_runtime(".bin/bun"), ["bun@1.4.5"], PROGRAM_FILES),
    "deno": Trial(in_runtime(".bin/deno", "run", "--allow-all"), ["deno@2.9.6"], PROGRAM_FILES),
    "types": Trial(types_of_node, ["typescript@5.9.3", "@types/node@22.20.5"], (PROGRAMS / "program.ts",)),
    "publint": Trial(publint, ["publint@0.3.25"]),
    "attw": Trial(attw, ["@arethetypeswrong/cli@0.18.5"]),
    "react18": Trial(hooks, ["react@18.3.1", "react-dom@18.3.1"], TEST_FILES),
    "react19": Trial(hooks, REACT, TEST_FILES),
    "vite": Trial(
        vite,
        [
            *REACT,
            "vite@8.3.8",
            "@vitejs/plugin-react@6.3.0",
            "typescript@5.9.3",
            "@types/react@19.3.0",
            "@types/react-dom@19.3.0",
        ],
        (*(PROGRAMS / "vite").iterdir(), *PAGE),
    ),
    "next": Trial(next_js, [*REACT, "next@16.4.6"], (*(PROGRAMS / "next").iterdir(), *PAGE)),
}


def attempt(trial: Trial, archive: Path, url: str) -> None:
    """Make the project of a trial, install the package, and use it. Raises `Failed`."""
    with tempfile.TemporaryDirectory(prefix="waypost-try-") as folder:
        project = Project(Path(folder), archive, url)
        (project.folder / "package.json").write_text('{"private": true, "type": "module"}')
        for path in trial.files:
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, project.folder / path.name)
        quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
        project.run("npm", "install", *quiet, archive, *trial.packages)
        trial.run(project)


def main() -> int:
    """Try what the command line names, or everything, and return how many trials failed."""
    parser = argparse.ArgumentParser(prog="npm run package:try", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*TRIALS, []], metavar="NAME", help=", ".join(TRIALS))
    names = parser.parse_args().names or list(TRIALS)
    failures = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waypost-package-")))
        try:
            archive = pack(assemble(folder / "waypost"), folder)
        except PackageProblem as problem:
            print(problem, file=sys.stderr)
            return 1
        worker = stack.enter_context(LocalWorker(ALLOWED_ORIGINS=f"http://127.0.0.1:{SITE_PORT}"))
        for name in names:
            began = time.monotonic()
            try:
                attempt(TRIALS[name], archive, worker.url)
                said = "ok"
            except (Failed, AssertionError, PlaywrightError) as problem:
                failures += 1
                said = f"failed: {problem}"
            print(f"{name}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main())
