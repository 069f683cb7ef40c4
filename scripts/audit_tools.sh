#!/usr/bin/env bash
# Installs the tools of the audit into an environment of their own and prints the folder of their commands: audit_tools.sh UV PYTHON
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/audit_tools.sh UV PYTHON; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
uv=$1 python=$2
venv=$PWD/.venv/audit
if ! cmp -s requirements-audit.lock "$venv/.lock"; then
    mkdir -p .venv
    "$uv" venv --quiet --clear --no-python-downloads --python "$python" "$venv"
    "$uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements-audit.lock
    cp requirements-audit.lock "$venv/.lock"
fi
echo "$venv/bin"
