"""What is copied from packages is what it was when it was copied."""

import re
from hashlib import sha256

from tools.site_files import SOURCE

VENDOR = SOURCE / "vendor"


def test_every_vendored_file_is_listed_and_unchanged() -> None:
    listed = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", (VENDOR / "README.md").read_text(), re.M))
    there = {
        sha256(path.read_bytes()).hexdigest(): path.relative_to(VENDOR).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert there == listed
