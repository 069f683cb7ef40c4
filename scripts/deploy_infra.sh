#!/usr/bin/env bash
# Prepares a cluster for the models: namespaces, the two NGC Secrets, and disks where there is no storage provisioner.
#
# usage: scripts/deploy_infra.sh [--no-ngc] [--local-volumes NODE] [--dry-run]
#   --no-ngc               create no Secrets: without Riva and NIM, or where a secret store creates them
#   --local-volumes NODE   use folders of this node as the models' disks (k8s/local-volumes)
#   --dry-run              show the steps without doing them
#   env NGC_API_KEY        the NGC key; it is sent to the API server through a pipe and never written to a disk, a log or an argument
#
# The script may be run again at any time.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
ngc=yes node=''
while [ $# -gt 0 ]; do
    case $1 in
        --no-ngc) ngc='' ;;
        --local-volumes) given "$@"; node=$2; shift ;;
        --dry-run) dry=yes ;;
        -h | --help) usage ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
[ -z "$ngc" ] || [ -n "${NGC_API_KEY:-}" ] || stop "NGC_API_KEY is not set: make a key at https://org.ngc.nvidia.com/setup \
and export it, or say --no-ngc"
cluster

secret() { # NAME TYPE KEY; the value on stdin. Server-side apply keeps the value out of annotations.
    if [ -n "$dry" ]; then
        cat >/dev/null
        echo "+ kubectl create secret generic $1 --type=$2 --from-file=$3=/dev/stdin | kubectl apply"
        return
    fi
    kubectl --namespace voice-models create secret generic "$1" --type="$2" --from-file="$3=/dev/stdin" \
        --dry-run=client --output=yaml | kubectl apply --server-side --force-conflicts --request-timeout=30s --filename=-
}

say "namespaces voice (gateway, restricted) and voice-models (baseline)"
run kubectl apply --request-timeout=30s --kustomize "$root/k8s/namespaces"
if [ -n "$ngc" ]; then
    say "Secrets ngc-secret (image pulls) and ngc-api (model downloads) in voice-models"
    # shellcheck disable=SC2016  # $oauthtoken is NGC's literal user name
    printf '{"auths":{"nvcr.io":{"username":"$oauthtoken","password":"%s"}}}' "${NGC_API_KEY}" |
        secret ngc-secret kubernetes.io/dockerconfigjson .dockerconfigjson
    printf '%s' "${NGC_API_KEY}" | secret ngc-api Opaque NGC_API_KEY
fi
if [ -n "$node" ]; then
    say "model disks on node $node, below /var/lib/voice-models (k8s/local-volumes says how to make the folders)"
    run kubectl label node "$node" voice-workflow/model-disk=true --overwrite --request-timeout=30s
    run kubectl apply --request-timeout=30s --kustomize "$root/k8s/local-volumes"
fi
if [ -z "$dry" ] && ! kubectl get nodes --request-timeout=10s --output=jsonpath='{.items[*].status.allocatable}' | grep -q nvidia.com/gpu; then
    say "no node offers nvidia.com/gpu: install NVIDIA's GPU operator, or deploy the gateway with --embedded"
fi
end "done; next: scripts/deploy_riva.sh, or scripts/deploy_gateway.sh --embedded"
