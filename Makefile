# On a fresh Debian 12 with python3, python3-venv and make: `make demo` shows it, `make test` proves it.

VENV ?= .venv
PYTHON ?= python3
ARGS ?=
UV ?= uv
WORKERS ?= auto

BIN := $(VENV)/bin
# Tests start hundreds of processes; each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# The environment is made anew when the lock is newer than its stamp; the project in it, which only
# points here, when its metadata is.
LOCKED := $(VENV)/locked
STAMP := $(VENV)/made

# Only wheels, each with its hash; no source is built and nothing else is fetched.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --only-binary :all: \
	--generate-hashes --no-emit-index-url --no-header --exclude-newer "4 days" --upgrade

.DELETE_ON_ERROR:
.PHONY: help demo test env check tests contract acceptance simulate bench lock wheel errors migration reference clean

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

demo: $(STAMP)  ## Show the daemon with an example, until Ctrl-C; ONCE=1 checks the outcome and ends
	@$(BIN)/python -m integrationd.testing.demo $(if $(ONCE),--once)

test: check tests  ## Everything: lint, types, layers and the whole default test run

env: $(STAMP)  ## Make the environment, if it is missing or stale

$(LOCKED): requirements/dev.txt
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

$(STAMP): $(LOCKED) pyproject.toml
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

check: $(STAMP)  ## Lint, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell --toml pyproject.toml
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

tests: $(STAMP)  ## The default test run, on all cores; ARGS="-k word" and the like are handed to pytest
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

contract: $(STAMP)  ## The suites that every implementation of a port runs
	$(BIN)/python -m pytest tests/contract $(ARGS)

acceptance: $(STAMP)  ## The installed command against real programs
	$(BIN)/python -m pytest -m acceptance $(ARGS)

simulate: $(STAMP)  ## Ten thousand generated histories against an oracle, some 20 minutes on two cores
	$(BIN)/python -m tests.simulation $(ARGS)

bench: $(STAMP)  ## Measures, beside a hand-written floor
	$(BIN)/python -m pytest -m bench $(ARGS)

lock:  ## Write requirements/*.txt anew; the only target that needs uv
	$(LOCK) -o requirements/run.txt pyproject.toml
	$(LOCK) -o requirements/dev.txt pyproject.toml --group dev
	$(LOCK) -o requirements/moto.txt --group moto
	$(LOCK) -o requirements/airbyte.txt --group airbyte
	@sed -i '1i # Written by `make lock` from pyproject.toml; do not edit.' requirements/*.txt

wheel: $(STAMP)  ## Build dist/integrationd-*.whl
	$(BIN)/python -m hatchling build -t wheel

errors: $(STAMP)  ## Write docs/reference/errors.md anew from tests/bad
	$(BIN)/python -m tests.meta.errors_page

migration: $(STAMP)  ## Write the newest migration anew from store/tables.py, until it is released
	$(BIN)/python -m tests.meta.migration

reference: $(STAMP)  ## Write docs/reference anew from the parser's definitions
	$(BIN)/python -m tests.meta.reference_pages

clean:  ## Remove what builds and test runs leave; the environment stays
	rm -rf build dist .demo .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
