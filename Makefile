# The front door. What a target does is written in package.json ("scripts") and tools/; nothing is written twice.

PYTHON = python3
PORT = 8787
HOST = 127.0.0.1
RUNS = 10000
SEED = 0

.PHONY: bootstrap dev test check unit worker browser deploy lock simulation simulate cost soak bench guard profile

bootstrap:
	@command -v $(PYTHON) >/dev/null || { echo "Waypost needs Python 3.11 or newer as $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -B -m tools.setup.bootstrap

# Runs the Worker on http://localhost:8787. make dev PORT=9000 HOST=0.0.0.0
dev: bootstrap
	@npm run --silent dev -- --port $(PORT) --host $(HOST) --owner $$PPID

# Everything: check, unit tests, tests in workerd, tests in Chromium.
test: bootstrap
	@npm run --silent test

# Style, types, the layers, and the unit tests with every branch of the domain covered.
check: bootstrap
	@npm run --silent check

unit: bootstrap
	@npm run --silent test:unit

simulation: bootstrap
	@npm run --silent test:simulation

# Runs the queues on the model of KV, as often as wanted. make simulate RUNS=100000 SEED=0
simulate: bootstrap
	@npm run --silent simulate -- --runs $(RUNS) --seed $(SEED)

# The long proofs: 50 kills, a backlog of 10,000, five minutes of fuzzing, 100,000 runs of the simulation. An hour or more.
soak: bootstrap
	@npm run --silent soak

# Counts what things cost in KV operations, and writes the table into docs/cost.md.
cost: bootstrap
	@npm run --silent cost

# Measures Waypost beside what one would take instead: under ten minutes, a minute with QUICK=1, LONG=1 as long as it takes.
bench: bootstrap
	@npm run --silent bench -- $(if $(QUICK),--quick) $(if $(LONG),--long)

# Half a minute of it, compared with what is committed: warns where something has become slower.
guard: bootstrap
	@npm run --silent bench:guard

# Where the time goes, written into bench/profile/profile.txt.
profile: bootstrap
	@npm run --silent profile

worker: bootstrap
	@npm run --silent test:worker

browser: bootstrap
	@npm run --silent test:browser

# Puts the Worker on Cloudflare (after `npx wrangler login`).
deploy: bootstrap
	@npm run --silent deploy

# Writes requirements-*.txt and package-lock.json anew from pyproject.toml and package.json.
lock: bootstrap
	@npm run --silent lock
