#!/usr/bin/env bash
# Installs uv into .uv on a machine that has none. Needs no root. bootstrap_uv.sh [PYTHON]
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
cd "$(dirname "$0")/.."
python=${1:-python3}
command -v "$python" >/dev/null || { echo "no $python here: install Python 3.11 or newer" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "$("$python" --version) is too old: install Python 3.11 or newer, or name one with make PYTHON=..." >&2; exit 1; }
"$python" -m venv .uv || { echo "this Python has no venv: install it (Debian: python3-venv)" >&2; exit 1; }
.uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
