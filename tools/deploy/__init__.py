"""`make deploy` and `make undeploy`: from a clone to a service that answers, and back.

Modules, lowest first: `failure` (the sentences), `sending` (HTTP), `api` (Cloudflare's), `wrangler` (its process),
`configuration` (wrangler.toml for one deployment), `login` and `account` (which account, by what right), `found` (what
is in it), `namespace`, `domain` and `upload` (the parts of a deployment), `smoke` (does it work), `steps` (all of it in
order), `trial` (without an account), `undeploy`.

Standard library only: `npm run deploy` is the deploy command of build services, which install no Python packages.
"""
