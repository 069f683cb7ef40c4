#!/usr/bin/env bash
# Installs or upgrades the gateway by its chart and waits until it is ready. When it does not become ready, the script prints the
# reason and restores the previous release; a first install is left as it is, for inspection.
#
# usage: scripts/deploy_gateway.sh [--embedded] [--values FILE]... [--set NAME=VALUE]... [--set-json NAME=VALUE]...
#                                  [--release NAME] [--namespace NAME] [--timeout SECONDS] [--no-test] [--dry-run]
#   --embedded    also installs the chart's own speech server and mini LLM in place of Riva and NIM: no GPU, no account
#   --values      values file of the chart helm/voice-workflow, such as k8s/nim/gateway-values.yaml; values of an earlier
#                 install are not kept: give all of them every time
#   --set         one value; --set-json: one list or mapping
#   --release     name of the release; default voice
#   --namespace   namespace; default voice; created (with pod security "restricted") where it is missing
#   --timeout     seconds to wait until the release is ready; default 600
#   --no-test     no spoken round trip (helm test) at the end
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
release=voice namespace=voice timeout=600 test=yes values=()
while [ $# -gt 0 ]; do
    case $1 in
        --embedded) values+=(--set speechServer.enabled=true --set miniLlm.enabled=true) ;;
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

if [ -n "$dry" ] || ! kubectl get namespace "$namespace" --request-timeout=10s >/dev/null 2>&1; then
    say "namespace $namespace"
    run kubectl create namespace "$namespace" --request-timeout=30s
    run kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted \
        voice-workflow/may-use-models=true --request-timeout=30s
fi
say "release $release in $namespace; new pods have $timeout s to become ready; running calls may end normally"
before=$(revision running) newest=$(revision newest)
if ! run "$helm" upgrade --install "$release" "$root/helm/voice-workflow" --namespace "$namespace" \
    ${values[@]+"${values[@]}"} --wait --timeout "${timeout}s"; then
    [ "$(revision newest)" != "$newest" ] || stop "helm refused it, and nothing was changed; its reason stands above"
    why "$namespace" "$release"
    [ -n "$before" ] || stop "nothing ran before, so it stays as it is: correct the cause and run this again, or helm uninstall $release --namespace $namespace"
    say "back to revision $before"
    run "$helm" rollback "$release" "$before" --namespace "$namespace" --wait --timeout "${timeout}s"
    stop "the new release did not become ready, for the reasons above; revision $before runs again"
fi
if [ -n "$test" ]; then
    say "a spoken round trip"
    run "$helm" test "$release" --namespace "$namespace" --timeout 180s --logs
fi
end "done; next: scripts/port_forward.sh --release $release --namespace $namespace"
