# `make run` and `make test` do all the set-up on a fresh machine; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help run test check format types layers docs readme pictures wheel campaign cluster fuzz hostile bench lock definitions guide judge judge-profiles judge-views clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/run.stamp ## Import the sample practice, verify it, serve it on http://127.0.0.1:8103 (or PORT=…, LIVE=no)
	$(BIN)/python scripts/run_sample.py $(if $(PORT),--port $(PORT)) $(if $(filter no,$(LIVE)),--no-live)

test: $(VENV)/dev.stamp ## Every test, installing what it needs
	$(BIN)/python scripts/run_tests.py

check: format types layers docs ## Everything that needs no test run

format: $(VENV)/dev.stamp ## Formatting and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp ## Static types, strict
	$(BIN)/mypy

layers: $(VENV)/dev.stamp ## The direction of imports
	$(BIN)/lint-imports

readme: $(VENV)/dev.stamp ## What the README shows of `make run`, made anew
	$(BIN)/python scripts/make_readme.py

pictures: $(VENV)/dev.stamp ## The pictures of the README, taken anew (Chromium)
	$(BIN)/python scripts/make_pictures.py

docs: $(VENV)/dev.stamp ## Generated references are up to date and links lead somewhere
	$(BIN)/python scripts/check_docs.py

wheel: $(VENV)/run.stamp ## Build the package, and try it where there is no clone
	$(BIN)/python scripts/try_wheel.py

campaign: $(VENV)/dev.stamp ## The property tests, over thousands of new examples (or EXAMPLES=…)
	THREADWELL_EXAMPLES=$(or $(EXAMPLES),campaign) $(BIN)/python -m pytest -n 2 tests/property

cluster: $(VENV)/dev.stamp ## A backfill on a Spark of two workers on loopback (Java; 400 MB of Spark)
	$(BIN)/python scripts/try_cluster.py $(if $(ROWS),--rows $(ROWS)) $(if $(RATIO),--ratio)

fuzz: $(VENV)/run.stamp ## Damaged files into every reader: 1,000,000, or INPUTS=…
	$(BIN)/python scripts/fuzz.py $(if $(INPUTS),--inputs $(INPUTS)) $(if $(SEED),--seed $(SEED))

hostile: $(VENV)/dev.stamp ## Any request at all to a server: 100,000 a store, or REQUESTS=…
	$(BIN)/python -m bench.faults hostile --workers 1 --requests $(or $(REQUESTS),100000) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/dev.stamp ## Speed, as ratios against something named
	$(BIN)/python -m bench

lock: ## Pin every dependency anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header pyproject.toml --group build -o locks/run.txt
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header pyproject.toml --group build --group dev -c locks/run.txt -o locks/dev.txt
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --group node -o locks/node.txt
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --group pipx -o locks/pipx.txt

guide: $(VENV)/dev.stamp ## The implementation guide package, into dist/
	$(BIN)/python scripts/make_guide.py

judge: $(VENV)/dev.stamp ## HL7's validator over all that the sample makes (US_CORE=FILE…; Java, Maven, npm)
	$(BIN)/python scripts/run_judge.py $(if $(US_CORE),--us-core $(US_CORE))

judge-profiles: $(VENV)/dev.stamp ## Our verdicts beside those of HL7's validator (PACKAGES=FILE…, such as US Core's)
	$(BIN)/python scripts/run_judge_profiles.py $(PACKAGES)

judge-views: $(VENV)/dev.stamp ## SQL on FHIR's shared tests, from a folder (TESTS=FOLDER)
	$(BIN)/python scripts/run_judge_views.py $(TESTS)

definitions: $(VENV)/dev.stamp ## Compile HL7's R4 definitions anew
	$(BIN)/python scripts/compile_definitions.py

clean: ## Remove what the targets above made
	rm -rf $(VENV) .cache tests/e2e/node_modules

$(VENV)/bin/python:
	$(PYTHON) scripts/make_venv.py $(VENV)

$(VENV)/run.stamp: locks/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: locks/dev.txt pyproject.toml $(VENV)/run.stamp
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@
