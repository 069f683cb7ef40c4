# git, make and Python >= 3.11 are all a machine needs: everything else lands in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
SERVICES := pcm mini-llm speech-server voice-client voice-gateway voice-bench voicectl
LOCAL := mini-llm pcm speech-server voice-bench voice-client voice-gateway voice-workflow-proto voicectl
READY := $(VENV)/.ready
ESPEAK := $(VENV)/.espeak
export CALLER OUT

.PHONY: help setup lock proto lint types test demo run talk bench docs images e2e clean

help: ## show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## install everything into .venv (done by every other target)

$(UV):
	@scripts/bootstrap_uv.sh $(PYTHON)

$(READY): requirements.lock pyproject.toml proto/pyproject.toml $(SERVICES:%=services/%/pyproject.toml) | $(UV)
	@scripts/setup.sh $(UV) $(VENV)
	@touch $@

# eSpeak NG is GPL-3.0: an optional extra that runs in a worker process of its own.
$(ESPEAK): requirements-espeak.lock $(READY)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-espeak.lock
	@touch $@

lock: | $(UV) ## resolve the dependencies anew
	@scripts/lock.sh $(UV) $(LOCAL)

proto: $(READY) ## generate the code of both wire contracts
	@PYTHON=$(BIN)/python scripts/proto.sh

lint: $(READY) ## ruff and the layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/lint-imports --no-cache

types: $(READY) ## mypy, strict
	@scripts/types.sh $(BIN)/python $(SERVICES)

test: $(READY) $(ESPEAK) ## lint, types, generated code, and every service's tests
	@PYTHON=$(BIN)/python scripts/test.sh $(SERVICES)

demo: $(READY) $(ESPEAK) ## a spoken conversation with the whole stack on this machine
	@$(BIN)/voice-bench demo

run: $(READY) $(ESPEAK) ## keep the stack up until Ctrl-C
	@$(BIN)/voice-bench run

talk: $(READY) ## talk to a running gateway with microphone and speaker
	@$(BIN)/voice talk

bench: $(READY) $(ESPEAK) ## what the gateway adds to the backends' time, beside a bare chain
	@$(BIN)/voice-bench overhead

docs: $(READY) ## write the generated parts of the docs
	@$(BIN)/python scripts/turn_table.py
	@$(BIN)/python scripts/settings_table.py
	@$(BIN)/python helm/values_reference.py

images: ## build the container images with docker, podman or buildah (REGISTRY, TAG, BASE_IMAGE)
	@scripts/build_gateway.sh $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG)) all

e2e: $(READY) ## the cluster tests, on the cluster of KUBECONFIG (e2e/README.md)
	@$(BIN)/python -m pytest --timeout 400 $(or $(E2E_TESTS),e2e)

clean: ## remove what was installed and made
	rm -rf $(VENV) .uv out .mypy_cache .ruff_cache .pytest_cache .hypothesis
