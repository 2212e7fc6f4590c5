PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SCAN   := .venv-scan
SUPPLY := .venv-supply
BENCH  := .venv-bench
STAMP  := $(VENV)/.installed

.PHONY: install demo check test style tests scan audit lock sbom bench soak faults clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt functions/requirements.txt
	@echo "Installing into $(VENV): a minute or a few"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,dev]'
	touch $@

demo: install
	$(BIN)/landcover demo

# In under a minute: what to run after every change.
check: style
	$(BIN)/pytest --numprocesses auto tests/unit

# Everything. The scanners set themselves up and look while the tests run.
test: style
	$(MAKE) --jobs 3 scan audit tests

style: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

tests: install
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Static security scan of terraform/, in an environment of its own: the scanner pins old versions of much.
scan: $(SCAN)/.installed
	$(SCAN)/bin/checkov --config-file terraform/.checkov.yaml

$(SCAN)/.installed: terraform/scan-requirements.txt
	test -x $(SCAN)/bin/python || $(PYTHON) -m venv $(SCAN)
	$(SCAN)/bin/python -m pip install --quiet --disable-pip-version-check --requirement terraform/scan-requirements.txt
	touch $@

# Known vulnerabilities of the deployed packages, where the source of them can be reached.
audit: install $(SUPPLY)/.installed
	$(BIN)/python -m tests.deployment.audit $(SUPPLY)/bin/pip-audit

# The deployed packages anew, at the versions of constraints.txt, each file by its hash.
lock: $(SUPPLY)/.installed
	head -1 functions/requirements.lock > functions/requirements.lock.new
	$(SUPPLY)/bin/uv pip compile functions/requirements.txt --constraint constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet >> functions/requirements.lock.new
	mv functions/requirements.lock.new functions/requirements.lock

# A bill of materials (CycloneDX) of the deployed packages.
sbom: $(SUPPLY)/.installed
	mkdir -p out
	$(SUPPLY)/bin/cyclonedx-py requirements functions/requirements.lock --output-reproducible --of JSON -o out/sbom.cdx.json

$(SUPPLY)/.installed: terraform/supply-requirements.txt
	test -x $(SUPPLY)/bin/python || $(PYTHON) -m venv $(SUPPLY)
	$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check --requirement terraform/supply-requirements.txt
	touch $@

# Side by side with what people use today: one table, also in out/benchmarks.md and .json. A quarter of an hour.
bench: install $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks

$(BENCH)/.installed: pyproject.toml constraints.txt functions/requirements.txt benchmarks/requirements.txt
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,dev]' --requirement benchmarks/requirements.txt
	touch $@

# The tests that draw at random, with more draws: twenty orders of fifty events, ten kills. For a night.
soak: install
	LANDCOVER_SOAK=1 $(BIN)/pytest --numprocesses auto --dist loadfile tests/pipeline/test_any_order.py tests/pipeline/test_kill.py

# What the pipeline survives: a storm of messages under faults (half an hour), kills, hostile registrations.
faults: install
	$(BIN)/python -m benchmarks.hostile_registration
	$(BIN)/python -m benchmarks.kill
	$(BIN)/python -m benchmarks.storm

clean:
	rm -rf $(VENV) $(SCAN) $(SUPPLY) $(BENCH) out build *.egg-info
