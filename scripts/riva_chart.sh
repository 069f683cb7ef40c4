#!/usr/bin/env bash
# Installs NVIDIA's legacy Riva chart with our wrapper values; deploy_riva.sh --how chart calls this.
#
# usage: scripts/riva_chart.sh TIMEOUT_SECONDS [--dry-run]
#   env RIVA_CHART    the chart file; default: riva-api-2.19.0.tgz, downloaded with NGC_API_KEY and kept for this run only
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
[ "${1:-}" != --help ] || usage
timeout=${1:-} chart=${RIVA_CHART:-} version=2.19.0
seconds "$timeout"
[ "${2:-}" != --dry-run ] || dry=yes
[ -z "$chart" ] || [ -r "$chart" ] || stop "RIVA_CHART: $chart can't be read"
helm=$("$root/scripts/helm.sh")
if [ -z "$chart" ]; then
    [ -n "${NGC_API_KEY:-}" ] || stop "set NGC_API_KEY to download riva-api-$version.tgz, or RIVA_CHART to the file"
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
run "$helm" upgrade --install riva-api "$chart" --namespace voice-models --values "$root/helm/riva-api/values.yaml" \
    --wait --timeout "${timeout}s"
