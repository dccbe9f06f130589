# The front door. A target calls a script of package.json, which says what it does.

PYTHON = python3
PORT = 8787
HOST = 127.0.0.1
RUNS = 10000
SEED = 0

.PHONY: advisories announce bench bootstrap browser check cost cost-of-day deploy dev export guard import latency lock probe profile release rollback rollout rotate-key simulate simulation soak test undeploy unit verify wake-up-table worker
.NOTPARALLEL:

# Installs what is missing, and nothing where all of it is there.
bootstrap:
	@command -v $(PYTHON) >/dev/null || { echo "Waypost needs Python 3.11 or newer as $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -B -m tools.setup.bootstrap $(STEPS)

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
	@npm run --silent test:unit && npm run --silent test:tools

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

# Puts Waypost on Cloudflare and tests it there; again, it updates what is there. make deploy ENV=production
# REGION=aws:eu-central-1 PLAN=paid DOMAIN=waypost.example.com NAME=mine. TRY=1: for an hour, without an account.
# Only what stands on the command line counts: variables of the environment say something about other programs.
deploy undeploy rollout: STEPS = --to-deploy
deploy: bootstrap
	@npm run --silent deploy --$(call given,ENV NAME REGION PLAN DOMAIN TRY YES)

# Removes what `make deploy` made, after a question: the Worker, and its namespace with all data. YES=1 does not ask.
undeploy: bootstrap
	@npm run --silent deploy -- undeploy$(call given,ENV NAME YES)

given = $(foreach name,$(1),$(if $(filter command,$(origin $(name))), '$(name)=$($(name))'))

# Gives a version a part of the requests, then all, each time after it was tried: make rollout ENV=production PERCENT=10
rollout: bootstrap
	@npm run --silent rollout --$(call given,ENV PERCENT)

# Makes the commit and the tag of a release: make release VERSION=0.2.0
release: bootstrap
	@npm run --silent release -- '$(VERSION)'

# Asks whether an advisory is known for a locked package. ONLINE=1 fails where that can't be asked.
advisories: bootstrap
	@npm run --silent advisories -- $(if $(ONLINE),--online)

# Writes all data of a deployment into a file, or back into another one (docs/looking-after.md):
# make export FILE=waypost.jsonl.gz [ENV=…] [NAME=…] [URL=https://…] [NAMESPACE=id] [ANY_KEY=1] [EXACT=1]
# LOCAL=1: of `make dev`. make import FILE=… the same, and MERGE=keep or MERGE=replace where there are keys already
DATA = FILE ENV NAME URL NAMESPACE ANY_KEY LOCAL
export: bootstrap
	@npm run --silent export --$(call given,$(DATA) EXACT)

import: bootstrap
	@npm run --silent import --$(call given,$(DATA) MERGE)

# What a day of a deployment was, and costs: make cost-of-day [DAY=2026-11-25] [ENV=…]
cost-of-day: bootstrap
	@npm run --silent cost-of-day --$(call given,ENV NAME DAY)

# Lets a new SIGNING_KEY sign; tokens of the old one stay valid. A day later: make rotate-key FINISH=1 [YES=1] [ENV=…]
rotate-key: bootstrap
	@npm run --silent rotate-key --$(call given,ENV NAME URL FINISH YES)

# Lets the version before run again: make rollback [VERSION=id] [YES=1] [ENV=…]
rollback: bootstrap
	@npm run --silent rollback --$(call given,ENV NAME URL VERSION YES)

# Regenerates requirements-*.txt and package-lock.json from pyproject.toml and package.json.
lock: bootstrap
	@npm run --silent lock
