# What there is to do with Klantlijn. `make run` and `make test` set up what they need, and skip what is there.
.DEFAULT_GOAL := help
.PHONY: help run test test-crm check setup setup-test clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /make \1 - /p' Makefile

run: setup ## start Asterisk and Klantlijn, and place demonstration calls
	@exec .venv/bin/python -m deploy.demo

test: setup-test ## run every test, those on a real Asterisk too
	@.venv/bin/python -m pytest

test-crm: setup-test ## run the tests on real customer systems, those that `make test` leaves out too
	@.venv/bin/python -m pytest tests/crm -m "crm or not crm"

check: setup-test ## style, types, layers, tests, and the configuration
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m pytest
	@.venv/bin/ivr check
	@.venv/bin/ivr test

setup: ## get ready for `make run`
	@deploy/setup.sh run

setup-test: ## get ready for `make test`
	@deploy/setup.sh test

clean: ## remove everything that was made here: environment, Asterisk, database, recordings of calls
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
