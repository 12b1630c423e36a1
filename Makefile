# make demo | test | lint | format.  The first call creates .venv and installs; later calls start at once.
PYTHON ?= python3
PYTEST_FLAGS ?= -q -n 2
BIN := .venv/bin
INSTALLED := .venv/.isthmus-installed

.PHONY: demo test lint format

demo: $(INSTALLED)
	$(BIN)/isthmus demo

# One thread a worker: the workers share the cores, and results do not depend on how many there are.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyrefly check
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The stamp is written last: an interrupted installation is repeated.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit("isthmus needs Python >= 3.11, .venv has " + sys.version.split()[0] + ": rm -r .venv; make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@
