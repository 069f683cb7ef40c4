#!/usr/bin/env bash
# Writes CycloneDX bills of materials: sbom.sh UV PYTHON OUT.cdx.json of what is locked, or
# sbom.sh UV PYTHON IMAGE.tar OUT.cdx.json of what is really installed in an image that docker save wrote
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 3 ] || { echo "usage: scripts/sbom.sh UV PYTHON [IMAGE.tar] OUT.cdx.json; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
bin=$(scripts/audit_tools.sh "$1" "$2"); shift 2
if [ $# -eq 2 ]; then
    "$bin/python" scripts/image_sbom.py "$1" "$2"
else
    mkdir -p "$(dirname "$1")"
    PYTHONWARNINGS=ignore "$bin/cyclonedx-py" requirements --pyproject pyproject.toml --mc-type application \
        --output-reproducible --spec-version 1.6 --output-file "$1" "${TREE:-.}/requirements.lock"
    echo "$1: what requirements.lock names"
fi
