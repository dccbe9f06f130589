"""By what right Cloudflare is asked: a token or key of the environment, or wrangler's login."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tools.deploy.failure import PERMISSIONS, TOKENS, DeployFailure
from tools.deploy.wrangler import Wrangler

TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105


def headers(environment: Mapping[str, str], wrangler: Wrangler, *, has_terminal: bool) -> dict[str, str]:
    """Return the header fields that authenticate with the API, after a login where one is needed and possible.

    Raises `DeployFailure` without credentials.
    """
    if token := environment.get(TOKEN) or environment.get("CF_API_TOKEN"):
        return {"Authorization": f"Bearer {token.strip()}"}
    if found := _of_wrangler(wrangler):
        return found
    if has_terminal and wrangler.talk(["login"]) and (found := _of_wrangler(wrangler)):
        return found
    if has_terminal:
        raise DeployFailure(
            "The login did not succeed: run the command again, or deploy without an account by `make deploy TRY=1`."
        )
    raise DeployFailure(
        f"{TOKEN} is missing, and there is no terminal to log in with: make a token at {TOKENS} from the template "
        f"“Edit Cloudflare Workers” (it needs {PERMISSIONS}), and put it into that variable. Without an account: make "
        "deploy TRY=1."
    )


def _of_wrangler(wrangler: Wrangler) -> dict[str, str] | None:
    """Return the fields for what wrangler uses by itself, renewed if it was about to end."""
    printed = wrangler.read(["auth", "token", "--json"])
    try:
        found = json.loads(printed or "")
    except ValueError:
        return None
    if found.get("type") == "api_key":
        return {"X-Auth-Key": found["key"], "X-Auth-Email": found["email"]}
    return {"Authorization": f"Bearer {found['token']}"}
