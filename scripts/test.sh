#!/usr/bin/env bash
# Runs every check and every package's tests, one pytest process each, and ends with one total line: test.sh PACKAGE...
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 1 ] || { echo "usage: scripts/test.sh PACKAGE...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
bin=$(dirname "$python")
passed=0 failed=0
evals=services/voice-bench/tests/evals # a gateway in process; its threads and the programs that other tests fork don't mix

check() { # name, command...
    local name=$1; shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $name" >&2; fi
}

tests() { # folder, pytest options...
    local report status
    report=$(mktemp)
    echo "== $1"
    "$python" -m pytest "$@" --quiet --color=yes --durations=3 --junitxml="$report"
    status=$?
    # A crash, an error at collection or a skipped test is a failure: nothing here may be left out.
    read -r good bad < <("$python" scripts/count_tests.py "$report" "$status")
    [ "$good" -gt 0 ] || echo "FAILED: $1 ended without a whole report (exit $status)" >&2
    passed=$((passed + good)) failed=$((failed + bad))
    rm -f "$report"
}

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
    scripts/interop.sh "${UV:-uv}" "$python" || { echo "FAILED: third-party clients" >&2; failed=$((failed + 1)); }
    tests k8s
    tests services/voice-client
    tests "$evals"
    echo "$passed $failed" > "$beside.counts"
}

if [ -z "${VOICE_AUDIO:-}" ]; then
    VOICE_AUDIO=$("$python" scripts/fetch_recordings.py | tail -n 1) || { echo "no recordings" >&2; failed=$((failed + 1)); }
fi
export VOICE_AUDIO
beside=$(mktemp)
trap 'kill -- "-$leisure" 2> /dev/null; rm -f "$beside" "$beside.counts"' EXIT
set -m # a process group of its own, which can be stopped
at_leisure "$@" > "$beside" 2>&1 < /dev/null & leisure=$!
set +m
for package in "$@"; do
    [ "$package" = services/voice-client ] || tests "$package" --ignore "$evals"
done
echo "== checks and tests that ran at the same time: lint, types, generated files, helm, scripts, k8s, client, evals"
wait "$leisure"
cat "$beside"
tests interop
read -r good bad < "$beside.counts" || { good=0 bad=1; echo "FAILED: the checks beside the suites did not end" >&2; }
passed=$((passed + good)) failed=$((failed + bad))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
