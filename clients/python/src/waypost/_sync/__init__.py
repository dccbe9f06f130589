"""The client without asyncio. All but `driver.py` is made from `waypost._async`: see `tools/python_client.py`."""
