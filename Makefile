# git, make and Python >= 3.11 are all a machine needs: everything else lands in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PACKAGES := libs/pcm libs/serving libs/vad $(addprefix services/,mini-llm speech-server voice-client voice-gateway voice-bench voicectl)
LOCAL := $(addprefix voice-workflow-,bench client ctl gateway mini-llm pcm proto serving speech-server vad)
READY := $(VENV)/.ready
ESPEAK := $(VENV)/.espeak
export CALLER OUT

ENGINE ?= moonshine
GRPC_PORT ?= 50051
HTTP_PORT ?= 8000
TTS_moonshine := espeak
TTS_parakeet := espeak
TTS_streaming := espeak
TTS_scripted := tone
TTS ?= $(TTS_$(ENGINE))
ENGINES := moonshine parakeet streaming scripted
VOICES := espeak kokoro tone

# Before anything is set up for it.
ifneq ($(filter speech run demo,$(MAKECMDGOALS)),)
$(if $(filter $(ENGINE),$(ENGINES)),,$(error ENGINE=$(ENGINE) is not known; take $(ENGINES)))
$(if $(filter $(TTS),$(VOICES)),,$(error TTS=$(TTS) is not known; take $(VOICES)))
endif

.PHONY: help setup gpu lock proto lint types test evals interop audit sbom demo run speech talk bench docs images canary e2e clean

help: ## show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## install everything into .venv (done by every other target)

$(UV):
	@scripts/bootstrap_uv.sh $(PYTHON)

$(READY): requirements.lock VERSION pyproject.toml proto/pyproject.toml $(PACKAGES:%=%/pyproject.toml) | $(UV)
	@scripts/setup.sh $(UV) $(VENV)
	@touch $@

# eSpeak NG is GPL-3.0: an optional extra that runs in a worker process of its own.
$(ESPEAK): requirements-espeak.lock $(READY)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-espeak.lock
	@touch $@

# Their files have the same names: only one onnxruntime can be there. With the marker, `setup` keeps it so.
gpu: $(READY) ## install onnxruntime with CUDA in place of the CPU's (2.5 GB; docs/parakeet.md)
	@scripts/gpu.sh $(UV) $(BIN)/python
	@touch $(VENV)/.gpu

lock: | $(UV) ## resolve the dependencies again
	@scripts/lock.sh $(UV) $(LOCAL)

proto: $(READY) ## generate the code of both wire contracts
	@PYTHON=$(BIN)/python scripts/proto.sh

lint: $(READY) ## run ruff and the import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/lint-imports --no-cache

types: $(READY) ## run mypy in strict mode
	@scripts/types.sh $(BIN)/python $(PACKAGES)

test: $(READY) $(ESPEAK) ## run lint, types, checks of generated code, and all tests
	@UV=$(UV) PYTHON=$(BIN)/python scripts/test.sh $(PACKAGES)

evals: $(READY) ## play the conversations of evals/ on virtual time and judge them (docs/evals.md)
	@$(BIN)/voice-bench evals run --html out/evals.html

interop: $(READY) $(ESPEAK) ## run third-party Riva and OpenAI clients against speech server and gateway
	@scripts/interop.sh $(UV) $(BIN)/python
	@scripts/npm.sh $(UV) $(BIN)/python interop/openai-js
	@$(BIN)/python -m pytest interop/tests --quiet --durations=5

audit: $(READY) ## look for secrets, withdrawn and vulnerable versions, licences, base images without a digest (docs/supply-chain.md)
	@scripts/audit.sh $(UV) $(BIN)/python

sbom: $(READY) ## write the bill of materials of what is locked to out/sbom.cdx.json (images: make images)
	@scripts/sbom.sh $(UV) $(BIN)/python out/sbom.cdx.json

demo: $(READY) $(ESPEAK) ## hold a spoken conversation on this machine (CALLER=folder of recordings, OUT=out/demo; ENGINE, TTS)
	@VOICE_AUDIO=$${VOICE_AUDIO-$$($(BIN)/python scripts/fetch_recordings.py)} \
		$(BIN)/voice-bench demo --engine $(ENGINE) --tts $(TTS)

run: $(READY) $(ESPEAK) ## run the stack until Ctrl-C (your own model: LLM_BASE_URL, LLM_MODEL; ENGINE, TTS as for speech)
	@$(BIN)/voice-bench run --engine $(ENGINE) --tts $(TTS)

speech: $(READY) $(ESPEAK) ## run the speech server alone: ENGINE=moonshine|parakeet|streaming|scripted TTS=espeak|kokoro|tone
	@SPEECH_ASR_ENGINE=$(ENGINE) SPEECH_TTS_ENGINE=$(TTS) SPEECH_GRPC_PORT=$(GRPC_PORT) SPEECH_HTTP_PORT=$(HTTP_PORT) \
		SPEECH_DRAIN_NOTICE_S=0 SPEECH_DRAIN_GRACE_S=$${SPEECH_DRAIN_GRACE_S:-5} exec $(BIN)/speech-server

talk: $(READY) ## talk to a running gateway with microphone and speaker
	@$(BIN)/voice talk

bench: $(READY) $(ESPEAK) ## measure what the gateway adds to the backends' time
	@$(BIN)/voice-bench overhead

docs: $(READY) ## write the generated parts of the docs
	@$(BIN)/python scripts/turn_table.py
	@$(BIN)/python scripts/realtime_table.py
	@$(BIN)/python scripts/settings_table.py
	@$(BIN)/python helm/values_reference.py
	@$(BIN)/voice-bench evals schema > evals/scenario.schema.json
	@$(BIN)/python -m voice_gateway.edges.transcribe_ws.schema > docs/transcription.schema.json

images: $(READY) ## build the container images with docker, podman or buildah (REGISTRY, TAG, BASE_IMAGE)
	@scripts/build_gateway.sh $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG)) all

canary: $(READY) ## start a canary of the gateway: IMAGE=... WEIGHT=10 (then .venv/bin/voicectl --namespace voice canary promote)
	@$(BIN)/voicectl --namespace $(or $(NAMESPACE),voice) canary start --image "$(IMAGE)" --weight $(or $(WEIGHT),10)

e2e: $(READY) ## run the cluster tests on the cluster of KUBECONFIG (e2e/README.md)
	@$(BIN)/python -m pytest --timeout 400 $(or $(E2E_TESTS),e2e)

clean: ## remove everything that was installed or built
	rm -rf $(VENV) .uv out .mypy_cache .ruff_cache .pytest_cache .hypothesis
