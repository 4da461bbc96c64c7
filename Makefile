# SPDX-License-Identifier: MPL-2.0
# The commands of the project. Each sets up what it needs; see README.md.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test serve bench check lock clean

VENV := .venv
BIN := $(VENV)/bin
BUNDLE := src/sagsgang/site/static/bundle/.built

help: ## Show the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed $(BUNDLE) ## Set up the environment and the browser part; does nothing when up to date

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@scripts/setup-python $(VENV)

$(BUNDLE): $(VENV)/.installed $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
	@scripts/setup-frontend $(VENV)

demo: setup ## A month of a city's time sheets, from file to pay, with figures that reconcile
	@$(BIN)/sagsgang demo

serve: setup ## The web pages on http://127.0.0.1:8000 with demo data and simulators
	@$(BIN)/sagsgang serve --demo

test: setup ## The whole test suite; says which parts of the machine are missing
	@scripts/test $(VENV)

bench: setup ## Measure beside named peers; writes benchmarks/results.json
	@$(BIN)/python -m benchmarks

check: setup ## Format, lint, types, layers, models
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sagsgang check

lock: $(VENV)/.installed ## Resolve the dependencies anew
	@scripts/lock $(VENV)

clean: ## Remove what the commands made
	rm -rf $(VENV) .venv-bench var frontend/node_modules src/sagsgang/site/static/bundle
