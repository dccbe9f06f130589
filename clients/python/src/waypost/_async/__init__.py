"""The client for asyncio. `waypost._sync` is made from it: see `tools/python_client.py`."""
