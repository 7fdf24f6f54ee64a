# Everything a person does with this project. The work is in .ci/, in scripts that can be read and run by hand.

.DEFAULT_GOAL := help
.PHONY: run test lint setup help
export SKIP

run: ## set up what is missing and start the gateway; ARGS="--port 9000" is passed on
	@sh .ci/setup.sh run
	@exec .venv/bin/python server.py $(ARGS)

test: ## set up what is missing, real parts included, and run every test; SKIP=browser, PYTEST_ARGS="-k wire"
	@sh .ci/setup.sh dev
	@sh .ci/real-parts.sh
	@exec .venv/bin/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

lint: ## ruff and mypy --strict; no warning
	@sh .ci/setup.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --strict

setup: ## only the setting up of run and test; does nothing when nothing changed
	@sh .ci/setup.sh dev
	@sh .ci/real-parts.sh

help: ## list these
	@awk -F ': ## ' '/^[a-z]+: ## / { printf "make %-6s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
