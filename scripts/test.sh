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

at_leisure() { # what waits for nothing: it takes the time that the suites, which mostly wait, leave over
    renice -n 19 "$BASHPID" > /dev/null
    check "ruff" "$bin/ruff" check --quiet .
    check "format" "$bin/ruff" format --check --quiet .
    check "layers" "$bin/lint-imports" --no-cache
    check "types" scripts/types.sh "$python" "$@"
    check "generated code is fresh" env PYTHON="$python" scripts/proto.sh --check
    check "documents are fresh" "$python" scripts/check_docs.py
    check "cluster tests are found" "$python" -m pytest --collect-only --quiet --no-summary e2e
    tests helm
    tests scripts
    scripts/interop.sh "${UV:-uv}" "$python" || missed "third-party clients are installed"
    tests k8s
    tests services/voice-client
    tests "$evals"
    : > "$results/leisure.ended"
}

trap 'kill -- "-$leisure" 2> /dev/null; rm -rf "$results"' EXIT
if [ -z "${VOICE_AUDIO:-}" ]; then
    VOICE_AUDIO=$("$python" scripts/fetch_recordings.py | tail -n 1) || missed "recordings are there"
fi
export VOICE_AUDIO
check "packages of the JavaScript examples" scripts/npm.sh "${UV:-uv}" "$python" examples
set -m # a process group of its own, which can be stopped
at_leisure "$@" > "$results/leisure" 2>&1 < /dev/null & leisure=$!
set +m
for package in "$@"; do
    [ "$package" = services/voice-client ] || tests "$package" --ignore "$evals"
done
echo "== checks and tests that ran at the same time: lint, types, generated files, helm, scripts, k8s, client, evals"
wait "$leisure"
cat "$results/leisure"
[ -e "$results/leisure.ended" ] || missed "what runs beside the suites ran to its end"
tests interop
total
