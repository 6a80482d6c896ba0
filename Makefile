# Two commands set everything up: `make demo` and `make test`.

# the first of these that is 3.11 or later; PYTHON=... chooses another
PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13 python3.14,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin

ROUNDS ?= 1000
SWAPS ?= 1000
MINUTES ?= 30
SECONDS ?= 60
# that the tests are spread over
PROCESSES ?= 2
HARAKA := Haraka@3.3.4

.PHONY: help demo test check format clean crash reload soak shipping cluster fuzz docs postfix \
	bench bench-lookup bench-scale bench-parse bench-lua bench-smtp bench-sessions bench-limits \
	bench-count bench-broker bench-cores

help:  ## what there is to make
	@grep -E '^[a-z -]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "kumo_handlers needs Python 3.11 or later" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,uvloop]'
	@touch $@

demo: $(VENV)/installed  ## the main job, with real SMTP clients, and what happened
	$(BIN)/python -m app.demo

test: check  ## the whole suite
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadgroup --no-loadscope-reorder -m 'not alone'
	$(BIN)/python -m pytest -m alone tests/benchmarks

check: $(VENV)/installed  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed  ## what ruff can put right by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

crash: $(VENV)/installed  ## kill it ROUNDS times, fill and break its disk, and count what is lost
	$(BIN)/python tests/crash/run.py --rounds $(ROUNDS)
	$(BIN)/python tests/crash/disk.py

reload: $(VENV)/installed  ## swap rules under load, SWAPS times, and look for mixed decisions
	$(BIN)/python tests/crash/reload.py --swaps $(SWAPS)

soak: $(VENV)/installed  ## half its load for MINUTES, and nothing may grow
	$(BIN)/python tests/crash/soak.py --minutes $(MINUTES)

shipping: $(VENV)/installed  ## a destination of records is away for MINUTES of load, then back
	$(BIN)/python tests/crash/outage.py --minutes $(MINUTES)

cluster: ROUNDS = 200
cluster: $(VENV)/installed  ## of nodes, RabbitMQ and PostgreSQL, kill any ROUNDS times, and count
	PYTHONPATH=. $(BIN)/python tests/crash/cluster.py --rounds $(ROUNDS)

fuzz: $(VENV)/installed  ## each target for SECONDS
	for target in $(filter-out fuzz/engine.py,$(wildcard fuzz/*.py)); do \
		$(BIN)/python $$target -seconds=$(SECONDS) || exit 1; done

docs: $(VENV)/installed  ## the documentation as a site, in run/site
	$(BIN)/python docs/site/options.py
	$(BIN)/mkdocs build --strict --quiet --config-file docs/site/mkdocs.yml

postfix: $(VENV)/installed  ## mail both ways with a real Postfix, installed where root may
	bash tests/postfix/install.sh
	$(BIN)/python -m pytest -rs tests/postfix

bench: .venv-bench/installed  ## ours beside others, as ratios; bench-smtp and so on are parts of it

bench bench-lookup bench-scale bench-parse bench-lua bench-smtp bench-sessions bench-limits bench-count bench-broker bench-cores: .venv-bench/installed
	.venv-bench/bin/python -m benchmarks $(patsubst bench%,%,$(subst bench-,bench,$@))

.venv-bench/installed: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[amqp,postgresql,uvloop]' --requirement benchmarks/requirements.txt
	@if command -v npm >/dev/null; then timeout 300 npm install --silent --no-audit --no-fund \
		--omit=optional --prefix .venv-bench/haraka $(HARAKA) || echo "no Haraka: npm failed" >&2; \
	else echo "no Haraka: npm is not installed" >&2; fi
	@touch $@

clean:  ## remove the environment and what running made
	rm -rf $(VENV) .venv-bench run/* .mypy_cache .ruff_cache .pytest_cache .hypothesis
