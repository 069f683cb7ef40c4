#!/usr/bin/env bash
# Asks any Riva, NVIDIA's or ours, what it serves: health, models, voices; and lets it transcribe a recording.
#
# usage: scripts/check_riva.sh [--target HOST:PORT] [--wav FILE] [--needs asr|tts|both|any] [--wait SECONDS]
#                              [--language CODE] [--model NAME] [--tls] [--ca FILE] [--json] [--dry-run]
#   --target   default localhost:50051
#   --needs    what must be served there; default any
#   --wait     until it must be ready; default 10
#
# Exit status 0 = it serves what is needed, 1 = it does not, with a sentence.
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
