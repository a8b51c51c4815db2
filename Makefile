# Everything a user types. `make setup` takes seconds when there is nothing to do.
PYTHON := .venv/bin/python
DEMO_OUT ?= out/demo
DATA ?=
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: setup demo test test-long lint bench clean

setup:  ## system libraries, virtual environment, the command .venv/bin/scanmill
	@bash tools/setup.sh

demo: setup  ## the main job, end to end, on inputs that it makes itself
	@.venv/bin/scanmill demo --out $(DEMO_OUT)

test: setup  ## the tests of every day, under eight minutes on two cores
	@$(PYTHON) -m pytest -n 2 --dist loadgroup -m "not long"

test-long: setup  ## soak, fuzz, chaos, browser and engine tests
	@$(PYTHON) -m pytest -m long -rs

lint: setup  ## style, types, and which room may import which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: setup  ## speed and memory, each against a named baseline; DATA=folder for real scans
	@bash benchmarks/run_all.sh $(DATA)

clean:  ## what the demo made; the virtual environment stays
	@rm -rf $(DEMO_OUT)
