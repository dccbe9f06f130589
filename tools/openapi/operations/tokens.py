"""`/api/tokens`: tokens that an app's backend gives to browsers."""

from __future__ import annotations

from tools.openapi.parts import APP_ITSELF, JSON, Operation, Reply
from tools.openapi.problems import APP_ITSELF as APP_ITSELF_PROBLEMS
from tools.openapi.problems import BODY
from waypost_worker.errors import InvalidId
from waypost_worker.handlers.tokens import TokenBody, TokenView

OPERATIONS = {
    "POST /api/tokens": Operation(
        "makeToken",
        "threads",
        APP_ITSELF,
        {201: Reply("The token. It can't be revoked, so choose a short lifetime.", {JSON: TokenView})},
        (*BODY, *APP_ITSELF_PROBLEMS, InvalidId),
        body={JSON: TokenBody},
        description=(
            "For an app's backend, which has the key: with the token a browser reaches the threads of this resource, "
            "and no others."
        ),
    ),
}
