"""Which account is deployed to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.deploy.api import Api
from tools.deploy.failure import NO_PERMISSION, NOT_AUTHENTICATED, ApiFailure, DeployFailure

VARIABLE = "CLOUDFLARE_ACCOUNT_ID"

Ask = Callable[[str], str]
"""Asks the person a question and returns the line; raises `DeployFailure` where no terminal is there."""


@dataclass(frozen=True)
class Account:
    """An account of Cloudflare."""

    id: str
    name: str


def account(api: Api, environment: Mapping[str, str], configured: str | None, ask: Ask) -> Account:
    """Return the account: the one that is named, or the only one, or the one that the person chooses.

    Raises `DeployFailure` where there is none, or several and no person to choose.
    """
    # The same order as wrangler's, which uploads.
    named = configured or environment.get(VARIABLE)
    try:
        found = [Account(one["id"], one["name"]) for one in api.pages("/accounts", "list the accounts")]
    except ApiFailure as failure:
        if named is None or failure.code not in NO_PERMISSION or failure.status == NOT_AUTHENTICATED:
            raise
        # A token may be allowed less than listing accounts, and still work for this one.
        found = []
    if named is not None:
        return next((one for one in found if one.id == named), Account(named, named))
    if not found:
        raise DeployFailure(
            f"The credentials open no account: name yours in {VARIABLE} (its id stands in the address of "
            "https://dash.cloudflare.com), or make a token for that account."
        )
    if len(found) == 1:
        return found[0]
    listed = "\n".join(f"  {number}. {one.name} ({one.id})" for number, one in enumerate(found, 1))
    try:
        answer = ask(f"Which account?\n{listed}\nNumber: ")
    except DeployFailure:
        raise DeployFailure(f"The credentials open several accounts: name one in {VARIABLE}.\n{listed}") from None
    if not (answer.isdecimal() and 1 <= int(answer) <= len(found)):
        raise DeployFailure("No account was chosen, and nothing was deployed.")
    return found[int(answer) - 1]
