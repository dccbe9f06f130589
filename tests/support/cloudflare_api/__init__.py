"""A Cloudflare API on loopback that answers as the real one is documented to, for the real wrangler and for our tools.

`server.py` listens, `routing.py` finds a route, `account.py` is what an account holds, and each `…_routes.py` is one
product. A test that needs more of the API gives `CloudflareApi` further `Routes`.
"""
