#!/usr/bin/env bash
# Asks a Riva server (NVIDIA's or ours) for its health, models and voices, and lets it transcribe a recording.
#
# usage: scripts/check_riva.sh [--target HOST:PORT] [--wav FILE] [--needs asr|tts|both|any] [--wait SECONDS]
#                              [--language CODE] [--model NAME] [--tls] [--ca FILE] [--json] [--dry-run]
#   --target   address of the server; default localhost:50051
#   --needs    what the server must offer; default any
#   --wait     seconds to wait for the server to become ready; default 10
#
# Exit status 0 = the server offers what is needed, 1 = it does not, with the reason.
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
voice_bench=$(tool voice-bench)
run "$voice_bench" riva-check ${options[@]+"${options[@]}"}
