#!/usr/bin/env bash
# Installs the locked dependencies and this workspace into a virtual environment: setup.sh UV VENV
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/setup.sh UV VENV; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
uv=$1 venv=$2
[ -x "$venv/bin/python" ] || "$uv" venv --quiet --no-python-downloads --python '>=3.11' "$venv"
echo "installing what requirements.lock names into $venv ..."
"$uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements.lock
packages=(-e proto)
for project in libs/*/pyproject.toml services/*/pyproject.toml; do packages+=(-e "${project%/*}"); done
if [ -e "$venv/.gpu" ]; then scripts/gpu.sh "$uv" "$venv/bin/python"; fi
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation "${packages[@]}"
