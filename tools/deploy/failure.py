"""What ends a deployment: one sentence for the person that started it, which says what to do."""

from __future__ import annotations

PERMISSIONS = "Workers Scripts: Edit and Workers KV Storage: Edit"
"""What an API token needs; with DOMAIN=… also Zone: Read of that domain."""

TOKENS = "https://dash.cloudflare.com/profile/api-tokens"

WRONG_TOKEN = frozenset({1000, 6003, 6111, 9106, 9109})
"""Codes for a token or key that is none."""

NO_PERMISSION = frozenset({7403, 9103, 10000})
"""Codes for a token that may not do this, or belongs to another account."""

NOT_AUTHENTICATED = 401
"""The status for a token that is none, whatever the code."""

TOO_MANY_WORKERS = 10037
TOO_MANY_REQUESTS = frozenset({971, 10429})


class DeployFailure(Exception):
    """The message is the sentence."""


class ApiFailure(DeployFailure):
    """The API refuses. `code` is its own number for the reason, 0 where it gives none."""

    def __init__(self, sentence: str, code: int, status: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status


def refused(doing: str, status: int, code: int, message: str, needs: str = PERMISSIONS) -> ApiFailure:
    """Return the failure for a reply of the API with this status, code and message, to a request that was to do this.

    `doing` completes "Cloudflare refuses to …". `needs` are the permissions for it.
    """
    if code in WRONG_TOKEN or status == NOT_AUTHENTICATED:
        sentence = (
            f"Cloudflare does not accept the credentials ({message}): if CLOUDFLARE_API_TOKEN is set, it is wrong or "
            f"expired; make another one at {TOKENS}, or unset it and run `npx wrangler login`."
        )
    elif code in NO_PERMISSION or status == 403:
        sentence = (
            f"Cloudflare refuses to {doing}: the token lacks the permission, or belongs to another account. It needs "
            f"{needs}; change it at {TOKENS}."
        )
    elif code == TOO_MANY_WORKERS:
        sentence = (
            f"The account has as many Workers as its plan allows ({message}): delete one at "
            "https://dash.cloudflare.com, or deploy to another account."
        )
    elif code in TOO_MANY_REQUESTS or status == 429:
        sentence = "Cloudflare takes no more requests from this account for now: run the command again in five minutes."
    elif status >= 500:
        sentence = (
            f"Cloudflare could not {doing} ({status}): https://www.cloudflarestatus.com says whether something is "
            "broken; run the command again later."
        )
    else:
        sentence = f"Cloudflare refuses to {doing}: {message.rstrip('.')} (code {code})."
    return ApiFailure(sentence, code, status)
