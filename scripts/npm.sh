#!/usr/bin/env bash
# Installs the JavaScript packages that each FOLDER locks, for tests; Node is the machine's, or comes from the package index:
# npm.sh UV PYTHON FOLDER... ; afterwards `node` lies beside PYTHON.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 3 ] || { echo "usage: scripts/npm.sh UV PYTHON FOLDER...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
uv=$1 python=$2; shift 2
bin=$(dirname "$python")
if ! node --version 2>/dev/null | grep -qE '^v(2[0-9]|[3-9][0-9])\.' || ! npm --version >/dev/null 2>&1; then
    own=$(dirname "$bin")/interop/node
    if ! cmp -s requirements-node.lock "$own/.lock"; then
        echo "installing Node.js, which is not here in version 20 or newer ..."
        "$uv" venv --quiet --clear --no-python-downloads --python "$python" "$own"
        "$uv" pip install --quiet --python "$own/bin/python" --require-hashes -r requirements-node.lock
        cp requirements-node.lock "$own/.lock"
    fi
    PATH=$PWD/$own/bin:$PATH
fi
ln -sf "$(command -v node)" "$bin/node"
for folder in "$@"; do
    # No script of a package runs: what these install is code alone.
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.lock" ||
        { (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund) && cp "$folder/package-lock.json" "$folder/node_modules/.lock"; }
done
