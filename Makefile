# The developer's menu. `make demo` and `make test` need only Python ≥ 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --constraint constraints.txt
# One more than the two cores that the times below are for: some tests wait.
WORKERS ?= 3

# Installs our package with the extra named: $(call install,demo). Of what pip says, routine becomes a line that counts (one
# that is rewritten, at a terminal); all else is shown, and from the first error on everything. sh has no pipefail, so pip's
# status goes through a file.
define install
	@rm -f .venv/.status; \
	{ $(PIP) --editable '.[$(1)]' 2>&1; echo $$? >.venv/.status; } | { \
	  every=10; from=; to='\n'; if [ -t 1 ]; then every=1; from='\r\033[K'; to=; fi; \
	  say() { printf "$$from  $$1$$to" "$$2"; }; pass() { printf "$$from%s\n" "$$line"; }; \
	  found=0; \
	  while IFS= read -r line; do case $$line in \
	    "Collecting "*|"Processing "*) found=$$((found + 1)); [ $$((found % every)) != 0 ] || say '%s packages found …' $$found ;; \
	    "Installing collected packages: "*) say 'Installing %s packages …' $$(echo "$${line#*: }" | wc -w) ;; \
	    "Successfully installed "*) to='\n'; say 'Installed %s packages.' $$(echo "$${line#Successfully installed }" | wc -w) ;; \
	    *[Ee][Rr][Rr][Oo][Rr]:*|Traceback*) pass; cat ;; \
	    " "*|"Obtaining "*|"Looking in "*|"Requirement already "*|"Building "*|"Successfully "*|"Attempting "*) ;; \
	    "WARNING: Location "*" is ignored: "*) ;; \
	    *) pass ;; \
	  esac; done; }; \
	exit $$(cat .venv/.status)
endef

.PHONY: help setup demo test test-all check format bench pictures clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: .venv/.dev  ## Build .venv with everything a developer needs

demo: .venv/.demo  ## Show the whole thing on this machine, without any account
	@$(BIN)/countersign demo

test: .venv/.dev  ## Run the tests (under five minutes on 2 cores)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not browser and not slow"

test-all: test  ## Run what `test` leaves out as well: the browser, the fault matrix, Postgres, each cloud's long suites, properties at length
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow and not browser"
	$(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not slow and not browser" --hypothesis-profile thorough
	$(BIN)/python -m pytest -m browser

check: .venv/.dev  ## Lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev  ## Put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev  ## Measure; prints ratios to a baseline of the same run
	$(BIN)/python bench/export_bench.py
	$(BIN)/python bench/store_bench.py
	$(BIN)/python bench/trail_bench.py
	$(BIN)/python bench/ingest_bench.py
	$(BIN)/python bench/plan_bench.py
	$(BIN)/python bench/plan_clouds_bench.py
	$(BIN)/python bench/decision_bench.py
	$(BIN)/python bench/findings_bench.py
	$(BIN)/python bench/load_bench.py

pictures: .venv/.dev  ## Take the README's and the documentation's pictures anew
	$(BIN)/python -m pytest -m browser --pictures docs/images tests/browser

clean:  ## Forget the virtual environment and caches
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Countersign needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.demo: .venv/.python pyproject.toml constraints.txt
	@echo "Installing what the demo needs into .venv (about a minute the first time) …"
	$(call install,demo)
	@touch $@

.venv/.dev: .venv/.python pyproject.toml constraints.txt
	@echo "Installing what developers need into .venv (about two minutes the first time) …"
	$(call install,dev)
	@touch $@ .venv/.demo
