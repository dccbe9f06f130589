"""Temporary accounts, which `wrangler … --temporary` asks for: a challenge, then an account with a token of its own."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Request, Routes

PREVIEW_ROUTES = Routes()
PREVIEWS = "/provisioning/previews"
CLAIM_URL = "https://dash.cloudflare.com/claim-preview?claimToken=secret-of-the-claim"


@PREVIEW_ROUTES.on("POST", PREVIEWS + "/challenge")
def challenge(_: Account, __: Request) -> dict[str, Any]:
    seed = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    return {"challengeToken": "challenge", "seed": seed, "k": 2, "g": 2}


@PREVIEW_ROUTES.on("POST", PREVIEWS)
def create(account: Account, request: Request) -> dict[str, Any]:
    if request.json["challengeToken"] != "challenge" or request.json["acceptTermsOfService"] != "yes":
        raise ApiError(400, 10001, "The challenge is not solved, or the terms are not accepted.")
    end = "2126-11-26T13:00:00Z"
    held = {"id": account.id, "name": "Temporary", "apiToken": account.token, "expiresAt": end}
    return {"account": held, "claim": {"url": CLAIM_URL, "expiresAt": end}}
