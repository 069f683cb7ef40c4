#!/usr/bin/env bash
# Is a gateway fit for production? Makes spoken calls, reads its metrics, and judges latency, errors and TLS.
#
# usage: scripts/check_production.sh --target HOST:PORT --metrics URL... --riva HOST:PORT... --llm URL [OPTION...] [--dry-run]
#   --target    the gateway's gRPC port, as callers reach it
#   --metrics   the gateway's /metrics; once for each pod
#   --riva      ASR and TTS themselves, and --llm the model server with /v1: they are asked who they are, because the
#               check never passes with a scripted or embedded backend behind the gateway
#   --calls N         default 20 (env CHECK_CALLS), --at-once N of them together, default 2 (CHECK_AT_ONCE)
#   --p95 SECONDS     objective for gateway_response_latency, default 1.2 (CHECK_P95_S)
#   --errors PART     objective for failed calls and turns, default 0.01 (CHECK_ERRORS)
#   --tls, --ca FILE  calls over TLS, which is an objective; --plaintext waives it where TLS ends before the gateway
#   --server-name NAME, --cert FILE with --key FILE, --token-file FILE (or env VOICE_TOKEN), --riva-tls
#   --wav FILE  what the callers say; default: a question in the gateway's own voice; --json
#
# Exit status 0 = every objective is met, 1 = not, and which.
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
