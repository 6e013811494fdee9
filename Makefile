# Everything runs in .venv, which each target makes or mends by itself from the hashed locks.

PYTHON ?= python3
ARGS ?=

VENV := .venv
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
SYSTEM_PATH := $(PATH)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo repro results ui test lint bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(RUNTIME) ## Set up .venv with the command heartbeat; . .venv/bin/activate puts it on the path
	@echo "ready: . $(VENV)/bin/activate"

demo: $(RUNTIME) ## Run the whole pipeline on synthetic records, in a workspace of its own (5 minutes)
	@heartbeat demo $(ARGS)

repro: $(RUNTIME) ## Run what changed of the pipeline on the real records (dvc repro)
	@dvc repro $(ARGS)

results: $(RUNTIME) ## Train every published row with its seeds and write reports/results.json (resumable)
	@heartbeat results $(ARGS)

ui: $(RUNTIME) ## Open the MLflow UI on the runs and the registered models
	@heartbeat ui $(ARGS)

test: $(DEV) ## Run the tests and hold the coverage floor
	@pytest --cov --cov-report=term $(ARGS)

lint: $(DEV) ## Check style, types and layers (ruff, mypy, import-linter)
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports

bench: $(DEV) ## Measure against what a user would pick instead
	@python -m benchmarks $(ARGS)

lock: $(DEV) ## Write the requirements locks anew, from pyproject.toml and deploy/requirements.in
	@UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --extra dev pyproject.toml -o requirements-dev.lock
	@UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --constraints requirements-dev.lock pyproject.toml -o requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --constraints requirements-dev.lock deploy/requirements.in -o deploy/requirements.lock

clean: ## Remove .venv, the demo's workspace and the tools' caches; data, models and runs stay
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage .coverage.* build dist *.egg-info

define CHECK_PYTHON
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit("error: $(PYTHON) is Python %d.%d, needed is 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 ..." % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("error: $(PYTHON) lacks its venv module; install it (Debian, Ubuntu: apt-get install python3-venv)")
endef
export CHECK_PYTHON

# The build tool first, so that what is built from source is built with it and not with the newest of the day.
define INSTALL
	@awk '/^[a-z]/ {wanted = /^setuptools==/} wanted' $(1) > $(VENV)/build-tools.txt
	@$(PIP) install --require-hashes -r $(VENV)/build-tools.txt
	@$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r $(1)
	@$(PIP) install --no-deps --no-build-isolation --editable .
endef

$(VENV)/bin/python:
	@PATH="$(SYSTEM_PATH)" command -v $(PYTHON) >/dev/null || \
		{ echo "error: no $(PYTHON) found; install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=..." >&2; exit 1; }
	@PATH="$(SYSTEM_PATH)" $(PYTHON) -c "$$CHECK_PYTHON"
	@PATH="$(SYSTEM_PATH)" $(PYTHON) -m venv --clear $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up .venv from requirements.lock: 2.7 GB on disk, about 5 minutes the first time ..."
	$(call INSTALL,requirements.lock)
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up .venv from requirements-dev.lock: 3 GB on disk, about 5 minutes the first time ..."
	$(call INSTALL,requirements-dev.lock)
	@touch $(RUNTIME) $@
