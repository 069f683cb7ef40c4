#!/usr/bin/env bash
# Does an installed gateway work? Makes a spoken round trip through kubectl port-forward, and prints /readyz.
#
# usage: scripts/smoke.sh [--release NAME] [--namespace NAME] [--dry-run] [-- OPTION...]
#   --release, --namespace   release and namespace; default voice
#   OPTION                   options of `voice check`, such as --tls, --ca FILE, --token TOKEN
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
release=voice namespace=voice
while [ $# -gt 0 ]; do
    case $1 in
        --release) given "$@"; release=$2; shift ;;
        --namespace) given "$@"; namespace=$2; shift ;;
        --dry-run) dry=yes ;;
        --) shift; break ;;
        -h | --help) usage ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
need curl "install it"
cluster
workplace
say "waiting for $release-gateway in $namespace"
run kubectl --namespace "$namespace" wait deployment "$release-gateway" --for=condition=Available --timeout=120s
[ -n "$dry" ] || forward "$namespace" "svc/$release-gateway-http" 8080
say "/readyz"
run curl --fail --silent --show-error --max-time 10 "http://127.0.0.1:${local_port:-PORT}/readyz"
echo
[ -n "$dry" ] || forward "$namespace" "svc/$release-gateway" 50050
say "a spoken round trip"
run "$root/scripts/check_conversation.sh" --host 127.0.0.1 --port "${local_port:-PORT}" "$@"
