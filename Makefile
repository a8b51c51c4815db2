# Everything a user types. `make setup` takes seconds when there is nothing to do.
PYTHON := .venv/bin/python
DEMO_OUT ?= out/demo
DATA ?=
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: setup venv photos demo test test-long lint format structure golden bench bench-gpu clean

setup:  ## system libraries, virtual environment, the command .venv/bin/scanmill
	@bash tools/setup.sh

venv:  ## the virtual environment alone: what `lint` and `format` need, no system libraries
	@bash tools/setup.sh --venv

photos: setup  ## what finds people in photographs and closes meshes: optional, 0.5 GB
	@$(PYTHON) -m pip install -qq --disable-pip-version-check -e '.[photos,mesh]'
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-deps mediapipe==0.10.21

demo: setup  ## the main job, end to end, on inputs that it makes itself
	@.venv/bin/scanmill demo --out $(DEMO_OUT)

test: setup  ## the tests of every day, under eight minutes on two cores
	@$(PYTHON) -m pytest -n 2 --dist loadgroup -m "not long"

test-long: setup  ## soak, fuzz, chaos, browser and engine tests
	@$(PYTHON) -m pytest -m long -rs

lint: venv  ## style, types, and which room may import which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: venv  ## formats the code and fixes what the linter can
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

structure:  ## lines, repeated file names, how far a request travels, options and cameras by file
	@python3 tools/structure.py

golden: setup  ## draws the golden images and the loss curve, new beside old, into out/golden
	@$(PYTHON) -m tests.golden.compare out/golden

bench: setup  ## speed and memory, each against a named baseline; DATA=folder for real scans
	@bash benchmarks/run_all.sh $(DATA)

bench-gpu: setup  ## all that needs a GPU, in slices of less than eight minutes, into out/gpu
	@$(PYTHON) -m benchmarks.gpu out/gpu

clean:  ## what the demo made; the virtual environment stays
	@rm -rf $(DEMO_OUT)
