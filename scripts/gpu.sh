#!/bin/sh
# Puts onnxruntime with CUDA, and the CUDA libraries it needs, in the place of the CPU's: gpu.sh UV PYTHON
set -eu
cd "$(dirname "$0")/.."
echo "installing what requirements-gpu.lock names (2.5 GB) ..."
"$1" pip uninstall --quiet --python "$2" onnxruntime onnxruntime-gpu
"$1" pip install --quiet --python "$2" --require-hashes -r requirements-gpu.lock
