# Set-up, running and checking. Everything lives in .venv; nothing is installed elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := torch==2.13.0

.PHONY: run test setup models lint format clean
.DEFAULT_GOAL := run

run: $(READY)  ## index seeds/ and open the chat
	@$(BIN)/python -m rag models pull
	@$(BIN)/python -m rag serve seeds $(ARGS)

test: $(VENV)/.ready-dev  ## linters, types and tests, as in CI
	@$(BIN)/python -m rag models pull all-MiniLM-L6-v2 smollm2-135m-instruct
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --cov -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

setup: $(READY)  ## create the environment only

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Footnote needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a few minutes the first time …"
	@# torch first and alone, pinned: an open range would fetch gigabytes of CUDA.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)" $(TORCH_ARGS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.ready-dev: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## the environment and caches; models and indexes stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache htmlcov .coverage
