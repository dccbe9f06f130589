"""Where the command starts: says what to install if its one package is missing."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command, and ends the process with its exit code."""
    try:
        import click  # noqa: F401 - only whether it is there
    except ImportError:
        sys.stderr.write("The command needs one more package: pip install 'waypost[cli]'\n")
        raise SystemExit(1) from None
    from waypost.cli.running import run

    _write_utf8()
    sys.exit(run(sys.argv[1:]))


def _write_utf8() -> None:
    """A terminal that can't show a character must not end the command, and a pipe gets the same bytes on Windows."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if sys.platform == "win32" and not stream.isatty():
            reconfigure(encoding="utf-8", newline="\n")
        reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
