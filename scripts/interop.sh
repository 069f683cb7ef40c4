#!/usr/bin/env bash
# Installs third-party clients, each into an environment of its own under .venv/interop: interop.sh UV PYTHON
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/interop.sh UV PYTHON; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
uv=$1 python=$2
environments=$(dirname "$(dirname "$python")")/interop
mkdir -p "$environments"
for lock in interop/*/requirements.lock; do
    client=$(basename "$(dirname "$lock")")
    venv=$environments/$client
    if ! cmp -s "$lock" "$venv/.lock"; then
        echo "installing the client of interop/$client ..."
        "$uv" venv --quiet --clear --no-python-downloads --python "$python" "$venv"
        "$uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock"
        cp "$lock" "$venv/.lock"
    fi
done
