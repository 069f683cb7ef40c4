#!/bin/sh
# Replaces onnxruntime by the one with CUDA and installs the CUDA libraries it needs: gpu.sh UV PYTHON
set -eu
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/gpu.sh UV PYTHON; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
echo "installing what requirements-gpu.lock names (2.5 GB) ..."
"$1" pip uninstall --quiet --python "$2" onnxruntime onnxruntime-gpu
"$1" pip install --quiet --python "$2" --require-hashes -r requirements-gpu.lock
