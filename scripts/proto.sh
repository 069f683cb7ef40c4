#!/usr/bin/env bash
# Generates the Python code of both wire contracts: proto.sh; proto.sh --check fails when the committed code is stale.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
PATH="$(dirname "$python"):$PATH"

generate() { # proto root, glob below it, output root
    # shellcheck disable=SC2086 # a glob
    "$python" -m grpc_tools.protoc -I "$1" --python_out="$3" --grpc_python_out="$3" \
        --mypy_out=quiet:"$3" --mypy_grpc_out=quiet:"$3" "$1"/$2
    # Of files with messages alone there are no stubs.
    find "$3" -name '*_pb2_grpc.py*' -exec sh -c 'grep -q "^class .*Stub" "$1" || rm "$1"' _ {} \;
}

out_gateway=proto out_speech=services/speech-server/src
if [ "${1:-}" = --check ]; then
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    out_gateway=$fresh/gateway out_speech=$fresh/speech
    mkdir -p "$out_gateway" "$out_speech"
fi

generate proto 'voice_workflow/v1/*.proto' "$out_gateway"
generate services/speech-server/src 'speech_server/wire/*.proto' "$out_speech"

if [ "${1:-}" = --check ]; then
    for file in $(cd "$fresh/gateway" && find . -type f); do
        cmp "$fresh/gateway/$file" "proto/$file" || { echo "stale: run make proto" >&2; exit 1; }
    done
    for file in $(cd "$fresh/speech" && find . -type f); do
        cmp "$fresh/speech/$file" "services/speech-server/src/$file" || { echo "stale: run make proto" >&2; exit 1; }
    done
fi
