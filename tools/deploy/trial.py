"""`make deploy TRY=1`: a deployment for an hour in a temporary account, which needs no account of yours.

wrangler makes that account (`--temporary`, a hidden option of its commands) and remembers it until it ends; Cloudflare
makes the KV namespace at the first upload. The API is only used through wrangler here, since the account's token is its
own.
"""

from __future__ import annotations

import json
import re

from tools.deploy.configuration import KEY, Configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.login import TOKEN
from tools.deploy.report import closing
from tools.deploy.smoke import Smoke, wait
from tools.deploy.steps import Tools, saying_what_is_left
from tools.deploy.upload import upload

TERMS = (
    "Cloudflare makes a temporary account for this deployment. By going on you accept its terms "
    "(https://www.cloudflare.com/terms/) and privacy policy (https://www.cloudflare.com/privacypolicy/). It ends "
    "after 60 minutes, with all that is in it, unless you claim it."
)
OPTION = "--temporary"
_CLAIM = re.compile(r"Claim URL:\s*(\S+)")


def deploy_for_an_hour(config: Configuration, tools: Tools, *, is_sure: bool) -> str:
    """Deploy to a temporary account, test what runs, and return its URL. Raises `DeployFailure`."""
    if tools.environment.get(TOKEN) or tools.wrangler.read(["auth", "token", "--json"]):
        raise DeployFailure(
            f"TRY=1 is for a machine without an account, and this one has one: leave TRY out; or run `npx wrangler "
            f"logout` and unset {TOKEN} first."
        )
    tools.say(TERMS)
    if not is_sure and tools.ask("Go on? [y/N] ").lower() not in ("y", "yes"):
        raise DeployFailure("Nothing was deployed.")
    config = config.bound_to(None)
    has_key = _has_key(config, tools)
    tools.say(f"Uploading {'with the key that is there' if has_key else 'with a new random SIGNING_KEY'} …")
    uploaded = upload(tools.wrangler, config, has_key=has_key, options=(OPTION,))
    claim = _CLAIM.search(uploaded.output)
    if not uploaded.hosts:
        raise DeployFailure("The Worker is uploaded, but wrangler does not say where: see .waypost/logs/deploy.log.")
    url = f"https://{uploaded.hosts[0]}"
    if claim:
        tools.say(f"To keep it, open this within the hour, and let no one else see it: {claim[1]}")
    smoke = Smoke(url, tools.send)
    with saying_what_is_left() as left:
        left.append("The temporary account ends by itself, within the hour.")
        health = wait(smoke, uploaded.version, tools.clock, tools.say)
        smoke.run()
    tools.say(closing(url, health, smoke.operations))
    return url


def _has_key(config: Configuration, tools: Tools) -> bool:
    """Return whether an earlier trial of this hour has set a key. A Worker that does not exist has none."""
    listed = tools.wrangler.read(["secret", "list", "--name", config.worker, "--format", "json", OPTION])
    try:
        # wrangler prints its notice about the temporary account before the list.
        secrets = json.loads((listed or "")[(listed or "").index("[") :])
    except ValueError:
        return False
    return KEY in {secret["name"] for secret in secrets}
