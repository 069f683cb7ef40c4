#!/usr/bin/env bash
# Deploys Parakeet, Magpie and Llama, waits until they are healthy and lists their models.
#
# usage: scripts/deploy_riva.sh [--how nim|operator|chart] [--local-volumes] [--timeout SECONDS] [--wav FILE] [--dry-run]
#   --how nim         NVIDIA's NIM images by k8s/nim (the default)
#   --how operator    NVIDIA's NIM Operator, which must be installed (k8s/nim-operator)
#   --how chart       the legacy Riva server by NVIDIA's chart with helm/riva-api/values.yaml; no language model
#   --local-volumes   with nim: claims on the disks of deploy_infra.sh --local-volumes
#   --timeout         seconds to wait until everything is healthy; default 3600, because a first start downloads and optimises models
#   --wav             a recording that the recogniser must transcribe at the end
#   env RIVA_CHART    the chart file (riva-api-2.19.0.tgz); default: downloaded with NGC_API_KEY
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
how=nim folder=nim timeout=3600 wav=()
while [ $# -gt 0 ]; do
    case $1 in
        --how) given "$@"; how=$2; shift ;;
        --local-volumes) folder=nim-local-volumes ;;
        --timeout) given "$@"; timeout=$2; shift ;;
        --wav) given "$@"; [ -r "$2" ] || stop "--wav: $2 can't be read"; wav=(--wav "$2"); shift ;;
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
seconds "$timeout"
cluster
workplace
in_models() { run kubectl --namespace voice-models "$@"; }
[ -n "$dry" ] || kubectl --namespace voice-models get secret ngc-secret ngc-api --request-timeout=10s >/dev/null ||
    stop "the NGC Secrets are missing: run scripts/deploy_infra.sh"

say "models by $how; the first start may take 10 to 50 minutes"
case $how in
    nim) run kubectl apply --request-timeout=30s --kustomize "$root/k8s/$folder"
        for part in asr tts llm; do in_models rollout status "deployment/nim-$part" --timeout="${timeout}s"; done
        at=(svc/nim-asr svc/nim-tts) ;;
    operator) run kubectl apply --request-timeout=30s --kustomize "$root/k8s/nim-operator"
        for part in asr tts llm; do in_models wait "nimservice/nim-$part" --for=jsonpath='{.status.state}'=Ready --timeout="${timeout}s"; done
        at=(svc/nim-asr svc/nim-tts) ;;
    chart) "$root/scripts/riva_chart.sh" "$timeout" ${dry:+--dry-run}
        at=(svc/riva-api) ;;
    *) wrong "--how takes nim, operator or chart, not $how" ;;
esac
for target in "${at[@]}"; do
    say "models of $target"
    case $target in *-asr) needs=asr ;; *-tts) needs=tts ;; *) needs=both ;; esac
    [ -n "$dry" ] || forward voice-models "$target" 50051
    hears=(); [ $needs = tts ] || hears=(${wav[@]+"${wav[@]}"})
    run "$root/scripts/check_riva.sh" --target "127.0.0.1:${local_port:-PORT}" --needs "$needs" --wait 60 ${hears[@]+"${hears[@]}"}
done
end "done; next: scripts/deploy_gateway.sh --values k8s/nim/gateway-values.yaml"
