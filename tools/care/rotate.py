"""`make rotate-key`: another key signs, and nobody notices.

Cloudflare does not show a secret again, so the present key can't be moved to another name. The new one gets the next
number (`SIGNING_KEY_2` after `SIGNING_KEY`) and signs because of it; the old one is still accepted. A day later, when
all its tokens have ended, `FINISH=1` deletes it.

The new key is accepted everywhere before it signs anywhere. For that it is `SIGNING_KEY_PREVIOUS` for a while: while a
change of secrets spreads, a token of an isolate that has it already may come to one that has not.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable

from tools.care.problem import CareError
from tools.care.wrangler import Run
from tools.signing_keys import LAST_NUMBER, PREVIOUS, name_of, numbers_of
from waypost_worker.security.tokens import key_fingerprint

POLL_SECONDS = 3.0
IN_A_ROW = 5
"""So many looks must show a change: some may reach an isolate that has it before others have."""
LOOKS = 60

Keys = Callable[[], tuple[str, ...]]
"""The fingerprints that the deployment shows, the one that signs first. Raises `CareError`."""


def secret_names(run: Run) -> list[str]:
    """The names of the Worker's secrets."""
    return [secret["name"] for secret in json.loads(run(["secret", "list", "--format", "json"], None))]


class Rotation:
    """One change of keys, of the Worker that `run` reaches and that shows `keys`."""

    def __init__(
        self,
        run: Run,
        keys: Keys,
        say: Callable[[str], None] = print,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run = run
        self._keys = keys
        self._say = say
        self._sleep = sleep

    def begin(self) -> str:
        """Lets a new key sign beside the old one; returns what happens to whom. Raises `CareError`."""
        self._keys()
        names = secret_names(self._run)
        numbers = numbers_of(names)
        if not numbers:
            raise CareError("The Worker has no SIGNING_KEY: `make deploy` sets one.")
        if len(numbers) > 1 or PREVIOUS in names:
            raise CareError(
                f"An earlier change is not finished: {', '.join(sorted(each for each in names if _is_key(each)))} are "
                "there. `make rotate-key FINISH=1` leaves only the one that signs."
            )
        if numbers[-1] == LAST_NUMBER:
            raise CareError(
                f"{name_of(LAST_NUMBER)} is the last one. Replace SIGNING_KEY by hand as SECURITY.md says, then delete "
                "this one."
            )
        new = secrets.token_urlsafe(32)
        fingerprint = key_fingerprint(new.encode())
        self._say("Making the new key known…")
        self._run(["secret", "put", PREVIOUS], new)
        self._wait(lambda shown: fingerprint in shown)
        self._say("Letting it sign…")
        self._run(["secret", "put", name_of(numbers[-1] + 1)], new)
        self._wait(lambda shown: shown[0] == fingerprint)
        self._run(["secret", "delete", PREVIOUS], "y\n")
        return (
            f"{name_of(numbers[-1] + 1)} signs from now on. Tokens and MCP sessions that {name_of(numbers[-1])} has "
            "signed are valid until they end, a day at most; nobody has to do anything. After that day: make "
            "rotate-key FINISH=1"
        )

    def finish(self, confirmed: Callable[[str], bool]) -> str:
        """Deletes all keys but the one that signs; `confirmed` asks. Raises `CareError`."""
        shown = self._keys()
        names = secret_names(self._run)
        numbers = numbers_of(names)
        old = [*([PREVIOUS] if PREVIOUS in names else []), *map(name_of, numbers[:-1])]
        if not numbers or not old:
            raise CareError("There is nothing to finish: the Worker has one key.")
        question = (
            f"This deletes {', '.join(old)}. Tokens of these keys stop working: tabs open new sessions, apps ask for "
            "new tokens. If the change of keys is a day old, all of them have ended anyway. Go on?"
        )
        if not confirmed(question):
            raise CareError("Nothing was changed.")
        for name in old:
            self._run(["secret", "delete", name], "y\n")
        self._wait(lambda now: now == shown[:1])
        return f"{name_of(numbers[-1])} is the only key now."

    def _wait(self, is_there: Callable[[tuple[str, ...]], bool]) -> None:
        """Waits until the deployment shows a change, several times in a row. Raises `CareError`."""
        in_a_row = 0
        for _ in range(LOOKS):
            in_a_row = in_a_row + 1 if is_there(self._keys()) else 0
            if in_a_row == IN_A_ROW:
                return
            self._sleep(POLL_SECONDS)
        raise CareError(
            "The deployment does not show the change of its secrets after three minutes. If URL is the right one, look "
            "at its versions (`npx wrangler deployments list`): a gradual deployment keeps old ones running. Then: "
            "make rotate-key FINISH=1"
        )


def _is_key(name: str) -> bool:
    return name == PREVIOUS or bool(numbers_of([name]))
