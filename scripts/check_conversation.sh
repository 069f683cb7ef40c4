#!/usr/bin/env bash
# Does a gateway understand and answer? Makes one spoken round trip. Exit status 0 = yes, 1 = no, with the reason.
#
# usage: scripts/check_conversation.sh [--host HOST] [--port PORT] [OPTION...] [--dry-run]
#   --host, --port   address of the gateway's gRPC port; default localhost and 50050
#   OPTION           options of `voice check`: --tls, --ca FILE, --token TOKEN (better: env VOICE_TOKEN), --json
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
host=localhost port=50050 options=()
while [ $# -gt 0 ]; do
    case $1 in
        --host) given "$@"; host=$2; shift ;;
        --port) given "$@"; port=$2; shift ;;
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) options+=("$1") ;;
    esac
    shift
done
voice=$(tool voice)
run "$voice" check --host "$host" --port "$port" ${options[@]+"${options[@]}"}
