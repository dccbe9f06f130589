"""A host as its user writes it. Prints its link; each run of `note` is a line of the file that the environment
names."""

from __future__ import annotations

import os
import time

from waypost import Call, Host

host = Host(grace=1)


@host.tool
def note(text: str, call: Call) -> str:
    """Notes a text, which takes a while."""
    runs = os.open(os.environ["RUNS"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(runs, f"{call.id}\n".encode())
    os.close(runs)
    call.progress({"progress": 1, "total": 2})
    time.sleep(float(os.environ.get("NOTE_SECONDS", "0.05")))
    return f"noted: {text}"


@host.tool(read_only=True)
async def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


if __name__ == "__main__":
    host.run_forever(
        encrypted=bool(os.environ.get("ENCRYPTED")),
        keep=os.environ.get("KEEP"),
        on_session=lambda session: print(session.link, flush=True),
    )
