"""Prices and allowances of Cloudflare's plans, for every estimate in this repository.

https://developers.cloudflare.com/kv/platform/pricing/ and https://developers.cloudflare.com/workers/platform/pricing/
(2026-11). Each key of a bulk read or write is an operation.
"""

DOLLARS = {"read": 0.50e-6, "write": 5e-6, "delete": 5e-6, "list": 5e-6}
"""Price of an operation of KV beyond the paid plan's included ones."""

A_DAY = {"read": 100_000, "write": 1000, "delete": 1000, "list": 1000}
"""Operations of KV that the free plan allows an account in a day, which begins at 00:00 UTC."""

A_MONTH = {"read": 10_000_000, "write": 1_000_000, "delete": 1_000_000, "list": 1_000_000}
"""Operations of KV that the paid plan includes."""

REQUEST_DOLLARS = 0.30e-6
REQUESTS_A_DAY = 100_000
REQUESTS_A_MONTH = 10_000_000

CPU_MS_DOLLARS = 0.02e-6
CPU_MS_A_MONTH = 30_000_000

STORED_GB_DOLLARS = 0.50
"""For a month. Both plans include `STORED_GB`."""
STORED_GB = 1.0

PLAN_DOLLARS = 5.0
"""The paid plan itself, for a month and an account."""
