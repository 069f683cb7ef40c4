#!/usr/bin/env bash
# Installs or upgrades the gateway by its chart, waits until it is ready, and rolls back by itself when it is not.
#
# usage: scripts/deploy_gateway.sh [--embedded] [--values FILE]... [--set NAME=VALUE]... [--set-json NAME=VALUE]...
#                                  [--release NAME] [--namespace NAME] [--timeout SECONDS] [--no-test] [--dry-run]
#   --embedded    the stand-ins for Riva and NIM come with it: no GPU, no account
#   --values      of the chart helm/voice-workflow, such as k8s/nim/gateway-values.yaml; values of an earlier
#                 install are not kept: say them all, every time
#   --set         of one value; --set-json of a list or a mapping
#   --release     default voice
#   --namespace   default voice; made (with pod security "restricted") where it is missing
#   --timeout     until it is ready; default 600
#   --no-test     no spoken round trip (helm test) at the end
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
release=voice namespace=voice timeout=600 test=yes values=()
while [ $# -gt 0 ]; do
    case $1 in
        --embedded) values+=(--set embedded.enabled=true) ;;
        --values) given "$@"; [ -r "$2" ] || stop "--values: $2 can't be read"; values+=(--values "$2"); shift ;;
        --set | --set-json) given "$@"; values+=("$1" "$2"); shift ;;
        --release) given "$@"; release=$2; shift ;;
        --namespace) given "$@"; namespace=$2; shift ;;
        --timeout) given "$@"; timeout=$2; shift ;;
        --no-test) test='' ;;
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
seconds "$timeout"
cluster
helm=$("$root/scripts/helm.sh")
undo=--rollback-on-failure
[[ $("$helm" version --short) != v3* ]] || undo=--atomic

if [ -n "$dry" ] || ! kubectl get namespace "$namespace" --request-timeout=10s >/dev/null 2>&1; then
    say "namespace $namespace"
    run kubectl create namespace "$namespace" --request-timeout=30s
    run kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted \
        voice-workflow/may-use-models=true --request-timeout=30s
fi
say "release $release in $namespace; new pods get $timeout s to be ready, running calls end within their grace"
run "$helm" upgrade --install "$release" "$root/helm/voice-workflow" --namespace "$namespace" \
    ${values[@]+"${values[@]}"} "$undo" --wait --timeout "${timeout}s"
if [ -n "$test" ]; then
    say "a spoken round trip"
    run "$helm" test "$release" --namespace "$namespace" --timeout 180s --logs
fi
end "done; next: scripts/port_forward.sh --release $release --namespace $namespace"
