#!/usr/bin/env bash
# Makes the gateway reachable on this machine until Ctrl-C; selects a new pod when the current one ends.
#
# usage: scripts/port_forward.sh [--release NAME] [--namespace NAME] [--port N] [--http-port N] [--web-port N]
#                                [--address ADDRESS] [--once] [--dry-run]
#   --release, --namespace   release and namespace; default voice
#   --port, --http-port      ports on this machine; default 50050 (calls) and 8080 (health, metrics)
#   --web-port               port on this machine of the page and the WebSockets; default 8090
#   --address                address on this machine; default 127.0.0.1
#   --once                   end when the forwarding ends
#
# kubectl binds to one pod: calls end with that pod, and kubectl may notice only at the next call, which then fails
# once. Use it for tests, not for callers.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
release=voice namespace=voice port=50050 http=8080 web=8090 address=127.0.0.1 once=''
while [ $# -gt 0 ]; do
    case $1 in
        --release) given "$@"; release=$2; shift ;;
        --namespace) given "$@"; namespace=$2; shift ;;
        --port) given "$@"; port=$2; shift ;;
        --http-port) given "$@"; http=$2; shift ;;
        --web-port) given "$@"; web=$2; shift ;;
        --address) given "$@"; address=$2; shift ;;
        --once) once=yes ;;
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
cluster
say "waiting for a ready gateway"
run kubectl --namespace "$namespace" wait deployment "$release-gateway" --for=condition=Available --timeout=120s
say "calls at $address:$port, health and metrics at http://$address:$http; try: .venv/bin/voice ask 'hello' --target $address:$port"
trap 'for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done' EXIT
trap exit INT TERM
forward=(kubectl --namespace "$namespace" port-forward --address "$address" "svc/$release-gateway-headless" "$port:50050" "$http:8080")
# A release with web.enabled=false has no such port, and kubectl would forward none at all.
ports='{.spec.ports[*].name}'
if [ -n "$dry" ] || [[ " $(kubectl --namespace "$namespace" get service "$release-gateway-headless" --output "jsonpath=$ports") " = *" web "* ]]; then
    forward+=("$web:8090")
    say "the page at http://$address:$web (https where the gateway has a certificate)"
fi
failures=0
while [ -z "$dry" ] || { run "${forward[@]}"; exit; }; do
    began=$SECONDS
    "${forward[@]}" & # in the background, so that a signal reaches this script and ends both
    wait $! || true
    [ -z "$once" ] || break
    # One that ends at once, five times in a row, can't work: the port is taken or the Service is gone.
    if [ $((SECONDS - began)) -lt 3 ]; then failures=$((failures + 1)); else failures=0; fi
    [ $failures -lt 5 ] || stop "the forwarding ended five times at once; kubectl's reason stands above"
    say "the forwarding ended; selecting another pod"
    sleep 1
done
