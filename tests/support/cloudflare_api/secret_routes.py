"""What is done with the secrets of a Worker besides setting them."""

from __future__ import annotations

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.routing import ApiError, Request, Routes
from tests.support.cloudflare_api.script_routes import SCRIPT, found

SECRET_ROUTES = Routes()


@SECRET_ROUTES.on("DELETE", SCRIPT + "/secrets/{name}")
def delete(account: Account, _: Request, script: str, name: str) -> None:
    secrets = found(account, script).secrets
    if name not in secrets:
        raise ApiError(404, 10056, f"Binding '{name}' not found")
    del secrets[name]
