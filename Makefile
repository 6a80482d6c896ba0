# Two commands set everything up: `make demo` and `make test`.

# the first of these that is 3.11 or later; PYTHON=... chooses another
PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13 python3.14,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check format clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "kumo_handlers needs Python 3.11 or later" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,uvloop]'
	@touch $@

demo: $(VENV)/installed  ## the main job, with real SMTP clients, and what happened
	$(BIN)/python -m app.demo

test: check  ## the whole suite
	$(BIN)/python -m pytest

check: $(VENV)/installed  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed  ## what ruff can put right by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and what running made
	rm -rf $(VENV) run/* .mypy_cache .ruff_cache .pytest_cache .hypothesis
