# Everything a developer runs. `make demo` and `make test` need Python 3.13 and Node; the rest is installed here.
PYTHON ?= python3.13
BIN := .venv/bin
PACKAGES := shared functions cli simulator functions_host demo benchmarks infra tests function_app.py
HYPOTHESIS_PROFILE ?= quick
WORKERS ?= 2

.PHONY: help demo serve test bench fidelity lint types imports unit lock package schema clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      a fleet of AKS clusters protected by itself, end to end, on this machine"
	@echo "make serve     the same and stays up (.run/endpoints.json says where)"
	@echo "make test      every check: format, lint, types, import rules, all tests"
	@echo "make fidelity  the simulator against recorded Azure traffic and the Azure CLI"
	@echo "make bench     what is measured (benchmarks/results/*.json)"
	@echo "make package   what is deployed (dist/app, dist/app.zip)"

demo: .venv/ready node_modules/ready
	@$(BIN)/python -m demo

serve: .venv/ready node_modules/ready
	@$(BIN)/python -m demo --serve

test: lint types imports unit

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/ready
	$(BIN)/mypy $(PACKAGES)

imports: .venv/ready
	$(BIN)/lint-imports --config .importlinter

unit: .venv/ready node_modules/ready .tools/checkov/ready .tools/bicep-types/ready
	HYPOTHESIS_PROFILE=$(HYPOTHESIS_PROFILE) $(BIN)/pytest -n $(WORKERS) --dist loadgroup --durations 10 \
		-m "not fidelity" --cov --cov-report term:skip-covered

fidelity: .venv/ready .tools/azure-cli/ready
	AZURE_CLI=$(CURDIR)/.tools/azure-cli/bin/az $(BIN)/pytest -m fidelity tests

bench: .venv/ready node_modules/ready .tools/custodian/ready
	$(BIN)/python -m benchmarks

.venv/ready: requirements-dev.txt requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: AKS Backup Guard needs Python 3.13" >&2; exit 1; }
	@echo "Installing Python packages into .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/.venv/bin/python" -m cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $(BIN)/aks-backup-guard
	@chmod +x $(BIN)/aks-backup-guard
	@touch $@

node_modules/ready: package-lock.json
	@command -v npm >/dev/null || { echo "npm is not installed: Azurite, the storage emulator, needs Node" >&2; exit 1; }
	@echo "Installing Azurite into node_modules (once) ..."
	@npm ci --silent --no-fund --no-audit
	@touch $@

.tools/azure-cli/ready: requirements-azure-cli.txt
	@echo "Installing the Azure CLI into .tools/azure-cli (once) ..."
	@test -x .tools/azure-cli/bin/python || $(PYTHON) -m venv .tools/azure-cli
	@.tools/azure-cli/bin/pip install --quiet --disable-pip-version-check -r requirements-azure-cli.txt
	@touch $@

.tools/custodian/ready: requirements-custodian.txt
	@echo "Installing Cloud Custodian into .tools/custodian (once) ..."
	@test -x .tools/custodian/bin/python || $(PYTHON) -m venv .tools/custodian
	@.tools/custodian/bin/pip install --quiet --disable-pip-version-check -r requirements-custodian.txt
	@touch $@

.tools/checkov/ready: requirements-checkov.txt
	@echo "Installing checkov into .tools/checkov (once) ..."
	@test -x .tools/checkov/bin/python || $(PYTHON) -m venv .tools/checkov
	@.tools/checkov/bin/pip install --quiet --disable-pip-version-check -r requirements-checkov.txt
	@touch $@

.tools/bicep-types/ready: requirements-bicep-types.txt
	@echo "Installing Microsoft's Bicep types into .tools/bicep-types (once) ..."
	@test -x .tools/bicep-types/bin/python || $(PYTHON) -m venv .tools/bicep-types
	@.tools/bicep-types/bin/pip install --quiet --disable-pip-version-check -r requirements-bicep-types.txt
	@touch $@

lock: .venv/ready
	$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links --generate-hashes requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links requirements-custodian.in -o requirements-custodian.txt
	$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links requirements-checkov.in -o requirements-checkov.txt

package: .venv/ready
	@$(BIN)/python -m infra.package

schema: .venv/ready
	$(BIN)/python -m shared.profiles > docs/guard.schema.json

clean:
	rm -rf .venv .tools .run dist node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
