#!/usr/bin/env bash
# Builds the images of this repository. On a machine without docker, podman or buildah set BUILD=SCRIPT: it is called as
# SCRIPT CONTEXT DOCKERFILE NAME:TAG OUT.tar OPTION... and must write a docker-archive.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() {
    cat <<U
usage: scripts/build_gateway.sh [--registry HOST/PATH] [--tag TAG] [--push] [--dry-run] [IMAGE...] [-- OPTION...]
  IMAGE   gateway (the default), speech-server, mini-llm, client, or all; speech-server-gpu: with CUDA, tagged TAG-gpu
  OPTION  for the engine, such as --build-arg PIP_INDEX_URL=... UV_DEFAULT_INDEX=... of a mirror
  env     ENGINE=docker|buildah|podman, BASE_IMAGE, ESPEAK= (no eSpeak NG), AV= (no FFmpeg), MOONSHINE= (no weights),
          SMART_TURN=1 (the gateway with the model of TURN_SCORER=smart-turn), BUILD=script and OUT=folder for its archives,
          SBOM= (no bill of materials; otherwise NAME.cdx.json is written into OUT, by default out/images)
U
}
die() { echo "build_gateway.sh: $*" >&2; exit 2; }
version=$(<VERSION)
registry='' tag=$version push='' run='' images=() extra=() smart_turn=()
while [ $# -gt 0 ]; do
    case $1 in
        --registry) registry=${2:?--registry needs a name}/; shift ;;
        --tag) tag=${2:?--tag needs a value}; shift ;;
        --push) push=yes ;;
        --dry-run) run='echo' ;;
        --) shift; extra=("$@"); break ;;
        -h | --help) usage; exit ;;
        all) images=(gateway speech-server mini-llm client) ;;
        gateway | speech-server | speech-server-gpu | mini-llm | client) images+=("$1") ;;
        *) usage >&2; die "there is no image or option $1" ;;
    esac
    shift
done
[ ${#images[@]} -gt 0 ] || images=(gateway)
engine() { # the first engine that answers
    local found
    for found in docker podman buildah; do if "$found" info >/dev/null 2>&1; then echo "$found"; return; fi; done
}
engine=${ENGINE:-${BUILD:+script}}
engine=${engine:-$(engine)}
[ -n "$engine" ] || [ -n "$run" ] || die "no docker, podman or buildah answers here: start one, or name a script with BUILD"
[ -z "${SBOM-1}" ] || [ -n "$run" ] || [ -x .venv/bin/python ] || die "a bill of materials needs .venv: run make setup, or leave it out with SBOM="
[ "$engine$push" != scriptyes ] || die "a BUILD script writes archives, which --push can't push"

options=(--build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
[ "$engine" = script ] || [ -z "${BASE_IMAGE:-}" ] || options+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
[ -z "${ESPEAK+set}" ] || options+=(--build-arg "ESPEAK=$ESPEAK")
[ -z "${AV+set}" ] || options+=(--build-arg "AV=$AV")
[ -z "${MOONSHINE+set}" ] || options+=(--build-arg "MOONSHINE=$MOONSHINE")
licenses=Apache-2.0
[ -z "${MOONSHINE-1}" ] || licenses+=' AND MIT'
[ -z "${ESPEAK-1}" ] || licenses+=' AND GPL-3.0-or-later'
[ -z "${AV-1}" ] || licenses+=' AND LGPL-3.0-or-later AND GPL-2.0-or-later'
if [ -z "${ESPEAK-1}" ] || [ -z "${AV-1}" ] || [ -z "${MOONSHINE-1}" ]; then options+=(--build-arg "LICENSES=$licenses"); fi
options+=("${extra[@]}")
[ -z "${SMART_TURN:-}" ] || smart_turn=(--build-arg "SMART_TURN=$SMART_TURN" --build-arg 'LICENSES=Apache-2.0 AND BSD-2-Clause')
sbom() { # IMAGE NAME: what is really in it, in a file beside its archive
    local archive folder=${OUT:-out/images}
    [ -n "${SBOM-1}" ] || return 0
    archive=$(mktemp -d)/image.tar
    case ${engine:-docker} in
        script) archive=${OUT:-.}/$1.tar folder=${OUT:-.} ;;
        docker) $run docker save --output "$archive" "$2" ;;
        podman) $run podman save --quiet --format docker-archive --output "$archive" "$2" ;;
        buildah) $run buildah push --quiet "$2" "docker-archive:$archive:$2" ;;
    esac
    $run scripts/sbom.sh "${UV:-$(command -v uv || echo .uv/bin/uv)}" .venv/bin/python "$archive" "$folder/$1.cdx.json"
    [ "$engine" = script ] || rm -rf "${archive%/*}"
}
for image in "${images[@]}"; do
    case $image in gateway | client) folder=services/voice-$image ;; *) folder=services/${image%-gpu} ;; esac
    name=${registry}voice-workflow/$image:$tag own=()
    [ "$image" != gateway ] || own=("${smart_turn[@]}")
    if [ "$image" = speech-server-gpu ]; then
        name=${registry}voice-workflow/speech-server:$tag-gpu
        own=(--build-arg GPU=1 --build-arg "LICENSES=$licenses AND LicenseRef-NVIDIA-CUDA")
    fi
    echo "building $name from $folder/Dockerfile with ${engine:-docker}"
    case ${engine:-docker} in # HEALTHCHECK is not in OCI's format: podman and buildah must write Docker's
        script) $run "$BUILD" . "$folder/Dockerfile" "$name" "${OUT:-.}/$image.tar" --format docker "${options[@]}" "${own[@]}" ;;
        docker) $run docker build -f "$folder/Dockerfile" -t "$name" "${options[@]}" "${own[@]}" . ;;
        *) $run "$engine" build --format docker -f "$folder/Dockerfile" -t "$name" "${options[@]}" "${own[@]}" . ;;
    esac
    sbom "$image" "$name"
    [ -z "$push" ] || $run "${engine:-docker}" push "$name"
done
