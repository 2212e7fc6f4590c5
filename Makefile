PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo test bench faults clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt functions/requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,dev]'
	touch $@

demo: install
	$(BIN)/landcover demo

test: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: install
	$(BIN)/python -m benchmarks.requests_count
	$(BIN)/python -m benchmarks.cold_import

# What the pipeline survives: a storm of messages under faults (half an hour), kills, hostile registrations.
faults: install
	$(BIN)/python -m benchmarks.hostile_registration
	$(BIN)/python -m benchmarks.kill
	$(BIN)/python -m benchmarks.storm

clean:
	rm -rf $(VENV) out build *.egg-info
