#!/usr/bin/env bash
# mypy, strict, service by service: their tests have modules of the same names. types.sh PYTHON SERVICE...
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1; shift
status=0
for service in "$@"; do
    tests=services/$service/tests
    MYPYPATH=$tests:$tests/core:$tests/calls "$python" -m mypy --no-error-summary "services/$service/src" "$tests" || status=1
done
exit "$status"
