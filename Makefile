# Set-up, running and checking. Everything lives in .venv; nothing is installed elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test setup format clean help
.DEFAULT_GOAL := run

run: $(READY)  ## index seeds/ and open the chat; ARGS="--port 8000" and the like go to serve
	@$(BIN)/python -m rag models pull
	@$(BIN)/python -m rag serve seeds $(ARGS)

test: $(VENV)/.ready-dev  ## linters, types and tests, as in CI; ARGS go to pytest
	@$(BIN)/python -m rag models pull all-MiniLM-L6-v2 smollm2-135m-instruct
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --cov -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

setup: $(READY)  ## create the environment only

format: $(VENV)/.ready-dev  ## ruff's fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and caches; models and indexes stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache htmlcov .coverage

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s%s\n", $$1, $$2 }' Makefile

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Footnote needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a few minutes the first time …"
	@# torch first and alone, so that TORCH_ARGS can say from where: its CPU build is far smaller.
	@$(INSTALL) torch $(TORCH_ARGS)
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.ready-dev: $(READY)
	@$(INSTALL) -e '.[dev]'
	@touch $@
