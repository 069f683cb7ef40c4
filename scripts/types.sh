#!/usr/bin/env bash
# mypy, strict, folder by folder: their tests have modules of the same names. types.sh PYTHON PACKAGE...
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/types.sh PYTHON PACKAGE...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit
python=$1; shift
status=0

strict() { # MYPYPATH, paths...
    MYPYPATH=$1 "$python" -m mypy --no-error-summary "${@:2}" || status=1
}

for package in "$@"; do # its folder
    tests=$package/tests
    strict "$tests:$tests/core:$tests/calls:$tests/realtime" "$package/src" "$tests"
done
strict helm/tests:helm helm/tests helm/values_reference.py
strict k8s/tests k8s/tests
strict scripts/tests:scripts scripts/tests
strict interop interop/tests
strict browser browser/tests
strict . e2e
for example in examples/*.py; do strict . "$example"; done
exit "$status"
