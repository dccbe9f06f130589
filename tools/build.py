"""The `[build]` step of wrangler.toml: `python3 -m tools.build`, before each upload and each change of `wrangler dev`.

Whichever way an upload is started (`make deploy`, `npx wrangler deploy`, `npm run deploy`, `pywrangler deploy`, Workers
Builds), it goes through here, so that none is without the Worker's packages. Where all is there, the check costs a
millisecond.

Standard library only, since `wrangler deploy` runs it on machines where nothing but the npm packages is installed.
"""

from __future__ import annotations

import os
import sys

from tools.local.local_worker import BUILD_DIR, NETWORK_URL, ROOT
from tools.setup.bootstrap import VENV_PYTHON, alone
from tools.setup.prerequisites import check_python
from tools.setup.steps import BootstrapError
from tools.setup.worker_packages import missing, vendor
from tools.site_files import SERVED, SOURCE, SiteError, make_site

ESBUILD = ROOT / "node_modules" / ".bin" / "esbuild"


def build() -> None:
    """Install the Worker's packages where they are missing, and make the folder of static files.

    Raises `BootstrapError` or `SiteError` with a sentence that says what to do.
    """
    check_python(tuple(sys.version_info[:3]))
    if not ESBUILD.exists():
        # Then this wrangler isn't the pinned one either: npx has fetched some version.
        raise BootstrapError("The npm packages are not installed: run `npm ci`, and this command again.")
    if missing():
        with alone():
            if lacking := missing():
                print(f"Installing {', '.join(lacking)} into python_modules …", file=sys.stderr, flush=True)
                vendor(VENV_PYTHON if VENV_PYTHON.exists() else sys.executable, BUILD_DIR / "logs" / "packages.log")
    make_site(SOURCE, SERVED, os.environ.get(NETWORK_URL))


def main() -> int:
    """Build and return the exit status; 1 after a sentence on standard error, and wrangler then uploads nothing."""
    try:
        build()
    except (BootstrapError, SiteError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
