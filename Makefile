# GLM Gateway. `make` alone lists what there is. Needs Python 3.11 or newer; uses uv where it is installed.

VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install test check format contract test-clients test-kubernetes torture bench bench-peers bench-soak lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Start the gateway on 127.0.0.1:8080, with the simulator if ZHIPU_API_KEY is not set
	@exec $(BIN)/glm-gateway serve

install: $(VENV)/.run ## Set up .venv with what the gateway needs

test: $(VENV)/.dev ## Run the test suite
	@.ci/system-packages redis-server espeak-ng prometheus nginx
	@.ci/helm-engine $(VENV)
	@# Many tests wait for others: processes, time that runs out. What fails beside others may try once more alone.
	$(BIN)/python -m pytest -q -n 3 --dist loadfile || { echo "Once more, alone, what failed:"; \
	    $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none; }

check: $(VENV)/.dev ## Run formatter, linter, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy gateway tests
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

contract: $(VENV)/.dev ## Write openapi.yaml and the README's tables anew from the code
	$(BIN)/python -m tests.contract.renew
	$(BIN)/python -m tests.helm.readme
	$(BIN)/python -m tests.helm.dashboards

test-clients: $(VENV)/.run ## Run the tests that need other people's heavy clients
	@.ci/system-packages espeak-ng openssl
	tests/clients/run.sh

test-kubernetes: $(VENV)/.dev ## Install the chart into a real kube-apiserver, which is built first where there is Go
	@.ci/system-packages openssl
	@.ci/kubernetes .cache/kubernetes
	$(BIN)/python -m pytest -q tests/apiserver

torture: $(VENV)/.run ## Prove for minutes that limits hold, with one Redis, a Cluster and Sentinel
	@.ci/system-packages redis-server
	@for redis in single cluster sentinel; do \
	    echo "Redis: $$redis"; $(BIN)/glm-gateway torture --redis $$redis || exit 1; done

bench: $(VENV)/.dev ## Run the benchmarks
	@.ci/system-packages nginx wrk
	$(BIN)/python -m tests.bench

bench-peers: $(VENV)/.dev ## Compare with nginx, smg, Portkey and LiteLLM, which are installed for that alone
	@.ci/system-packages nginx wrk
	$(BIN)/python -m tests.bench.peers --into tests/bench

bench-soak: $(VENV)/.dev ## Load a gateway for ten minutes and see that it does not grow
	$(BIN)/python -m tests.bench.soak

lock: ## Resolve the dependencies anew into the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml --extra simulator --constraint requirements.lock --output-file requirements-simulator.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml --extra otel --constraint requirements.lock --output-file requirements-otel.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	for name in requirements requirements-llama-index requirements-voice; do \
	    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	        tests/clients/$$name.in --output-file tests/clients/$$name.lock; done

clean: ## Remove the environment and every cache
	rm -rf $(VENV) .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The stamps make a second run start at once.

$(BIN)/python:
	@.ci/new-venv $(VENV)

$(VENV)/.run: requirements.lock requirements-simulator.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-deps --editable .
	$(BIN)/python -m compileall -q gateway
	@$(INSTALL) --only-binary :all: --require-hashes --requirement requirements-simulator.lock 2>/dev/null \
	    || echo "pocketsphinx has no wheel for this Python; the simulator answers speech with a canned text."
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@
