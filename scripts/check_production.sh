#!/usr/bin/env bash
# Is a gateway fit for production? Makes spoken calls, reads its metrics, and judges latency, errors and TLS.
#
# usage: scripts/check_production.sh --target HOST:PORT --metrics URL... --riva HOST:PORT... --llm URL [OPTION...] [--dry-run]
#   --target    address of the gateway's gRPC port, as callers use it
#   --metrics   URL of the gateway's /metrics; once for each pod
#   --riva      address of ASR and TTS; --llm: URL of the model server with /v1. Both are asked for their models, because the
#               check never passes with a simulated or demo backend behind the gateway
#   --calls N         default 20 (env CHECK_CALLS), --at-once N calls at the same time, default 2 (CHECK_AT_ONCE)
#   --p95 SECONDS     objective for gateway_response_latency, default 1.2 (CHECK_P95_S)
#   --errors PART     share of calls and turns that may fail, default 0.01 (CHECK_ERRORS)
#   --tls, --ca FILE  make calls over TLS, which is an objective; --plaintext drops it where TLS ends before the gateway
#   --server-name NAME, --cert FILE with --key FILE, --token-file FILE (or env VOICE_TOKEN), --riva-tls
#   --wav FILE  recording that the callers play; default: a question in the gateway's own voice; --json: print JSON
#
# Exit status 0 = every objective is met, 1 = one is missed; the output says which.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
options=()
for option in "$@"; do
    case $option in
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) options+=("$option") ;;
    esac
done
for wanted in --target --metrics --riva --llm; do
    case " $* " in *" $wanted"[\ =]*) ;; *) wrong "$wanted is missing" ;; esac
done
voice_bench=$(tool voice-bench)
run "$voice_bench" production-check "${options[@]}"
