# The front door. A target calls a script of package.json, which says what it does.

PYTHON = python3
PORT = 8787
HOST = 127.0.0.1
RUNS = 10000
SEED = 0

.PHONY: announce bench bootstrap browser check cost deploy dev guard latency lock probe profile simulate simulation soak test unit verify wake-up-table worker
.NOTPARALLEL:

# Installs what is missing, and nothing where all of it is there.
bootstrap:
	@command -v $(PYTHON) >/dev/null || { echo "Waypost needs Python 3.11 or newer as $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -B -m tools.setup.bootstrap

# Runs the Worker on http://localhost:8787. make dev PORT=9000 HOST=0.0.0.0
dev: bootstrap
	@npm run --silent dev -- --port $(PORT) --host $(HOST) --owner $$PPID

# Lint, types, all unit tests, and the main paths in workerd and Chromium: under five minutes.
test: announce bootstrap
	@npm run --silent test -- --announced

# Everything: `make test`, then the tests that it leaves out, and the benchmark's guard. `npm run verify` is the second half.
verify: PLAN = verify
verify: test
	@npm run --silent verify -- --after test

PLAN = test
announce:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -B -m tools.suites.plan $(PLAN) || true

# Style, types, and the unit tests with every branch of the domain covered.
check: bootstrap
	@npm run --silent check

unit: bootstrap
	@npm run --silent test:unit

simulation: bootstrap
	@npm run --silent test:simulation

# All tests in workerd, and all in Chromium.
worker: bootstrap
	@npm run --silent test:worker

browser: bootstrap
	@npm run --silent test:browser

# Runs the simulation with other seeds. make simulate RUNS=100000 SEED=0, with one distance: PROFILE=isolate, centre or
# locations
simulate: bootstrap
	@npm run --silent simulate -- --runs $(RUNS) --seed $(SEED) $(if $(PROFILE),--profile $(PROFILE))

# The long tests: 50 kills, a backlog of 10,000, five minutes of fuzzing, 100,000 runs of the simulation. An hour or more.
soak: bootstrap
	@npm run --silent soak

# Simulates how long calls take at each distance, and writes the table into docs/guarantees.md: two minutes.
latency: bootstrap
	@npm run --silent latency

# Simulates what wake-up keys save and how long messages then take, and writes the table into docs/cost.md: some minutes.
wake-up-table: bootstrap
	@npm run --silent wake-up-table

# Counts what each action costs in KV operations, and writes the table into docs/cost.md.
cost: bootstrap
	@npm run --silent cost

# Measures Waypost beside its alternatives: under ten minutes, two minutes with QUICK=1, as long as it takes with LONG=1.
bench: bootstrap
	@npm run --silent bench -- $(if $(QUICK),--quick) $(if $(LONG),--long)

# Half a minute of the benchmark: warns where a ratio is worse than the committed one.
guard: bootstrap
	@npm run --silent bench:guard

# Writes where the time goes into bench/profile/profile.txt.
profile: bootstrap
	@npm run --silent profile

# Measures a deployment from outside, in about three minutes: make probe URL=https://… [JSON=FILE] [APP_KEY=…]
# QUICK=1: seconds. LONG=1: until a stream at rest ends. YES=1: does not ask what it may cost.
probe: bootstrap
	@npm run --silent probe -- '$(URL)' $(if $(JSON),--json '$(JSON)') $(if $(QUICK),--quick) $(if $(LONG),--long) \
		$(if $(YES),--yes)

# Puts the Worker on Cloudflare (after `npx wrangler login`). make deploy REGION=aws:eu-central-1, or REGION=none
# A variable REGION of the environment says something about another program.
deploy: bootstrap
	@npm run --silent deploy --$(if $(filter command,$(origin REGION)), '--region=$(REGION)')

# Regenerates requirements-*.txt and package-lock.json from pyproject.toml and package.json.
lock: bootstrap
	@npm run --silent lock
