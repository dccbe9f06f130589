"""What stands in Origin and is no address."""

import pytest

from tests.support.client import make_client
from tests.support.virtual_time import run

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://a]b"])
def test_an_origin_that_is_no_address_is_refused_also_where_it_is_said_to_be_our_own(origin: str):
    async def story() -> None:
        client = make_client()
        session = await client.open_session()
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Accept": "application/json, text/event-stream"}
        reply = await client.open("POST", f"/mcp/{session.code}", body=PING, headers=headers)
        assert reply.status == 403

    run(story())
