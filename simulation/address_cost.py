"""What an MCP address costs in KV operations, beyond what the same costs with a code."""

from collections import Counter

from simulation.client import KEY, make_client
from simulation.counting_kv import CountingKv
from simulation.virtual_time import VirtualClock, run
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

SECRET = "s" * 43
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def open_with_address() -> Counter[str]:
    """Opening a session with an address, beyond opening it without one."""

    async def scene() -> Counter[str]:
        kv = CountingKv(MemoryKv(VirtualClock()))
        client = make_client(Settings(signing_keys=(KEY,)), kv)
        await client.call("POST", "/api/sessions")
        without = kv.count.copy()
        await client.call("POST", "/api/sessions", {"addressSecret": SECRET})
        return kv.count - without - without

    return run(scene())


def find_by_address(times: int = 1) -> Counter[str]:
    """So many requests by an address in an isolate that does not know it, beyond the same requests by the code."""

    async def scene(is_address: bool) -> Counter[str]:
        kv = CountingKv(MemoryKv(VirtualClock()))
        opened = (
            await make_client(Settings(signing_keys=(KEY,)), kv).call(
                "POST", "/api/sessions", {"addressSecret": SECRET}
            )
        ).json()
        client = make_client(Settings(signing_keys=(KEY,)), kv, seed=1)
        before = kv.count.copy()
        for _ in range(times):
            await client.call("POST", f"/mcp/{opened['address' if is_address else 'code']}", PING)
        return kv.count - before

    return run(scene(True)) - run(scene(False))
