# Every target makes what it needs and is quick the second time. Needs only Python 3.11+, git and make.
PYTHON ?= python3
# make test PYTHON=python3.12 has an environment of its own beside that of the usual interpreter.
VENV := $(if $(filter python3,$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Kept beside the sources: pytest's rewriting of the assertions alone takes each of its processes six seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-dispatch up test test-slow test-postgres test-cluster test-browser test-docs docs lint format bench bench-enrichment layout campaign-dispatch chaos fuzz outdated release clean

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/connectwise-flows demo

demo-dispatch: $(READY)
	$(BIN)/connectwise-flows demo --dispatch

up: $(READY)
	$(BIN)/connectwise-flows up

# Tests of one file stay together, which share servers, and begin in the order of the folders: the quick ones last.
# xdist's own groups (loadgroup) have no effect with pytest 9.2, and it would begin with the files of many tests.
BY_FILE = --dist loadfile --no-loadscope-reorder

RUFF = $(BIN)/ruff check . && $(BIN)/ruff format --check .

lint: $(READY)
	$(RUFF)
	$(BIN)/mypy

# Figures of the source tree, and each module that only one other uses, with the reason.
layout: $(READY)
	$(BIN)/python -m tests.support.layout

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Three at once on two cores, and the types beside them: the tests wait for servers part of the time. Those that
# measure come after them, the ten seconds of a rate limit beside the others.
test: $(READY)
	$(RUFF)
	@mkdir -p build
	$(BIN)/mypy >build/types.txt 2>&1 & types=$$!; \
	$(BIN)/pytest -n 3 $(BY_FILE) -m "not slow and not speed"; tests=$$?; \
	wait $$types || tests=1; cat build/types.txt; exit $$tests
	$(BIN)/pytest -n 2 $(BY_FILE) -m "speed and not slow"

test-slow: $(READY)
	$(BIN)/pytest -m slow

# These say what is missing, and skip, on a machine without PostgreSQL or without a browser.
test-postgres: $(READY)
	$(BIN)/python -m pytest -p tests.postgres.plugin -k postgres tests/postgres tests/unit/connectors/ledger

# Debian's packages postgresql, redis-server and haproxy; it says which is missing, and skips.
test-cluster: $(READY)
	-$(MAKE) --silent $(VENV)/.cluster
	$(BIN)/python -m pytest -p tests.postgres.plugin tests/cluster

$(VENV)/.cluster: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[redis,docker,kubernetes]'
	touch $@

test-browser: $(READY) $(VENV)/.browser
	$(BIN)/python -m pytest tests/browser

$(VENV)/.browser: $(READY)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[browser]' \
		&& touch $@

$(VENV)/.docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

# A broken link, anchor or cross-reference ends it with an error.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean

test-docs: $(READY)
	-$(MAKE) --silent $(VENV)/.docs
	$(BIN)/python -m pytest tests/site

$(VENV)/.bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	touch $@

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.performance.run

bench-enrichment: $(READY)
	$(BIN)/python -m benchmarks.performance.enrichment

campaign-dispatch: $(READY)
	$(BIN)/python -m benchmarks.dispatch_campaign.campaign

chaos: $(READY)
	$(BIN)/python -m benchmarks.chaos.campaign

fuzz: $(READY)
	$(BIN)/python -m benchmarks.fuzz

# Asks the index that pip is set up with; no test does.
outdated: $(READY)
	$(BIN)/python -m tests.support.releases outdated

# make release TAG=v1.2.0: notes and wheel under build/release/, if tag, version and changelog agree.
release: $(READY)
	$(BIN)/python -m tests.support.releases release "$(TAG)"

clean:
	rm -rf build .venv .venv-* *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
