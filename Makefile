PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SCAN   := .venv-scan
SUPPLY := .venv-supply
BENCH  := .venv-bench
UV     := .venv-uv
STAMP  := $(VENV)/.installed

# Where the environment says so, each of the hundred processes that tests start would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Packages into an environment: uv takes a tenth of pip's time, pip knows the mirrors that somebody set up for it.
comma := ,
put = $(UV)/bin/uv pip install --quiet --python $(1)/bin/python $(2) || $(UV)/bin/python -m pip --python $(1)/bin/python --disable-pip-version-check install --quiet $(2)

.PHONY: install demo check test style tests scan audit lock sbom bench soak faults clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt functions/requirements.txt | $(UV)/.installed
	@echo "Installing into $(VENV): some seconds to a few minutes, by the connection"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call put,$(VENV),--constraint constraints.txt --editable '.[local$(comma)dev]')
	touch $@

$(UV)/.installed:
	test -x $(UV)/bin/python || $(PYTHON) -m venv $(UV)
	$(UV)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	touch $@

demo: install
	$(BIN)/landcover demo

# In under a minute: what to run after every change.
check: style
	$(BIN)/pytest --numprocesses auto tests/unit

# Everything. Style and the scanners are looked at while the tests run.
test: install
	$(MAKE) --jobs 4 style scan audit tests

style: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

tests: install
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Static security scan of terraform/, in an environment of its own: the scanner pins old versions of much.
scan: $(SCAN)/.installed
	$(SCAN)/bin/checkov --config-file terraform/.checkov.yaml

$(SCAN)/.installed: terraform/scan-requirements.txt | $(UV)/.installed
	test -x $(SCAN)/bin/python || $(PYTHON) -m venv --without-pip $(SCAN)
	$(call put,$(SCAN),--requirement $<)
	touch $@

# Known vulnerabilities of the deployed packages, where the source of them can be reached.
audit: install $(SUPPLY)/.installed
	$(BIN)/python -m tests.deployment.audit $(SUPPLY)/bin/pip-audit

# The deployed packages anew, at the versions of constraints.txt, each file by its hash.
lock: $(UV)/.installed
	head -1 functions/requirements.lock > functions/requirements.lock.new
	$(UV)/bin/uv pip compile functions/requirements.txt --constraint constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet >> functions/requirements.lock.new
	mv functions/requirements.lock.new functions/requirements.lock

# A bill of materials (CycloneDX) of the deployed packages.
sbom: $(SUPPLY)/.installed
	mkdir -p out
	$(SUPPLY)/bin/cyclonedx-py requirements functions/requirements.lock --output-reproducible --of JSON -o out/sbom.cdx.json

$(SUPPLY)/.installed: terraform/supply-requirements.txt | $(UV)/.installed
	test -x $(SUPPLY)/bin/python || $(PYTHON) -m venv --without-pip $(SUPPLY)
	$(call put,$(SUPPLY),--requirement $<)
	touch $@

# Side by side with what people use today: one table, also in out/benchmarks.md and .json. A quarter of an hour.
bench: install $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks

$(BENCH)/.installed: pyproject.toml constraints.txt functions/requirements.txt benchmarks/requirements.txt | $(UV)/.installed
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv --without-pip $(BENCH)
	$(call put,$(BENCH),--constraint constraints.txt --editable '.[local$(comma)dev]' --requirement benchmarks/requirements.txt)
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
	rm -rf $(VENV) $(SCAN) $(SUPPLY) $(BENCH) $(UV) out build *.egg-info
