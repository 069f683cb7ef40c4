#!/usr/bin/env bash
# Installs NVIDIA's legacy Riva chart with our wrapper values; deploy_riva.sh --how chart calls this.
#
# usage: scripts/riva_chart.sh TIMEOUT_SECONDS [--dry-run]
#   env NGC_API_KEY   the chart, and in the cluster the models, are downloaded with it
#   env RIVA_CHART    the chart file; default: riva-api-2.19.0.tgz, downloaded and kept for this run only
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
[ "${1:-}" != --help ] || usage
timeout=${1:-} chart=${RIVA_CHART:-} version=2.19.0
seconds "$timeout"
[ "${2:-}" != --dry-run ] || dry=yes
[ -z "$chart" ] || [ -r "$chart" ] || stop "RIVA_CHART: $chart can't be read"
[ -n "${NGC_API_KEY:-}" ] || [ -n "$dry" ] || stop "set NGC_API_KEY (ngc.nvidia.com): the chart downloads models with it"
helm=$("$root/scripts/helm.sh")
if [ -z "$chart" ]; then
    need curl "install it"
    workplace
    chart=$work/riva-api-$version.tgz
    say "downloading riva-api-$version.tgz"
    # The key goes through a pipe. $oauthtoken is NGC's literal user name.
    # shellcheck disable=SC2016
    [ -n "$dry" ] || printf 'user = "$oauthtoken:%s"\n' "$NGC_API_KEY" | curl --config - --fail --silent --show-error \
        --location --max-time 120 --output "$chart" "https://helm.ngc.nvidia.com/nvidia/riva/charts/riva-api-$version.tgz"
fi
say "release riva-api in voice-models"
# The chart makes its Secrets out of the key, which stands in no list of processes here.
run "$helm" upgrade --install riva-api "$chart" --namespace voice-models --values "$root/helm/riva-api/values.yaml" \
    --values /dev/stdin --wait --timeout "${timeout}s" \
    <<<"ngcCredentials: {password: $(printf %s "${NGC_API_KEY:-}" | base64 | tr -d '\n')}"
