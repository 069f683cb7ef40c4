#!/usr/bin/env bash
# Runs every check and every package's tests, one pytest process each; ends with the names of what failed and one total line: test.sh PACKAGE...
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 1 ] || { echo "usage: scripts/test.sh PACKAGE...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit
python=${PYTHON:-.venv/bin/python}
bin=$(dirname "$python")
evals=services/voice-bench/tests/evals # a gateway in process; its threads and the programs that other tests fork don't mix
# shellcheck source=scripts/suites.sh
. scripts/suites.sh

# Three lanes at a time, for two cores: the speech server and the bench compute and wait, the gateway's calls and the other
# packages mostly wait, and what waits for nothing takes the time that they leave over.
others() {
    local package
    for package in "$@"; do
        case $package in services/speech-server | services/voice-bench) ;; *) tests "$package" ;; esac
    done
}

at_leisure() {
    renice -n 19 "$BASHPID" > /dev/null
    check "ruff" "$bin/ruff" check --quiet .
    check "format" "$bin/ruff" format --check --quiet .
    check "layers" "$bin/lint-imports" --no-cache
    check "types" scripts/types.sh "$python" "$@"
    check "generated code is fresh" env PYTHON="$python" scripts/proto.sh --check
    check "no secret, no withdrawn version, no unknown licence, no loose base image" \
        scripts/audit.sh "${UV:-uv}" "$python" secrets withdrawn licences images
    check "documents are fresh" "$python" scripts/check_docs.py
    check "cluster tests are found" "$python" -m pytest --collect-only --quiet --no-summary e2e
    tests helm
    tests scripts
    scripts/interop.sh "${UV:-uv}" "$python" || missed "third-party clients are installed"
    scripts/browser.sh || missed "a browser is installed"
    tests k8s
    tests "$evals"
}

trap 'stop_lanes; rm -rf "$results"' EXIT
if [ -z "${VOICE_AUDIO:-}" ]; then
    VOICE_AUDIO=$("$python" scripts/fetch_recordings.py | tail -n 1) || missed "recordings are there"
fi
export VOICE_AUDIO
lane "libraries, gateway, client, mini LLM, voicectl" others "$@"
lane "lint, types, generated files, helm, scripts, k8s, evals" at_leisure "$@"
check "packages of the JavaScript examples and clients" scripts/npm.sh "${UV:-uv}" "$python" examples interop/openai-js
tests services/speech-server
tests services/voice-bench --ignore "$evals"
end_lanes
tests interop
tests browser
total
