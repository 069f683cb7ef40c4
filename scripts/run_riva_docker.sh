#!/usr/bin/env bash
# Runs Riva or a speech NIM by plain docker on a host with an NVIDIA GPU, and waits until it is healthy.
#
# usage: scripts/run_riva_docker.sh asr|tts|riva [--image IMAGE] [--port N] [--http-port N] [--gpu N] [--timeout SECONDS] [--dry-run]
#   asr, tts    Parakeet or Magpie as NIM; needs NGC_API_KEY, keeps its models in the volume voice-asr or voice-tts
#   riva        the legacy server; its models must be in the volume riva-model-repo (riva_init.sh of NVIDIA's quickstart)
#   --port      gRPC port on this machine, default 50051 (tts: 50052); --http-port: health port, default 9000 (tts: 9001)
#   --timeout   seconds to wait until the container is healthy; default 3000, because a first start downloads and optimises models
# An existing container is started, or left as it is. To remove it: docker rm -f voice-asr
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
what=${1:-} http='' gpu=0 timeout=3000
case $what in
    asr) image=nvcr.io/nim/nvidia/parakeet-1-1b-ctc-en-us:1.5.0 selector=mode=str,vad=silero port=50051 http=9000 ;;
    tts) image=nvcr.io/nim/nvidia/magpie-tts-multilingual:1.8.0 selector=name=magpie-tts-multilingual,batch_size=32 port=50052 http=9001 ;;
    riva) image=nvcr.io/nvidia/riva/riva-speech:2.19.0 port=50051 ;;
    -h | --help) usage ;;
    *) wrong "say what to run: asr, tts or riva" ;;
esac
shift
while [ $# -gt 0 ]; do
    [ "$1" = --dry-run ] || given "$@"
    case $1 in
        --dry-run) dry=yes; shift; continue ;; --image) image=$2 ;; --gpu) gpu=$2 ;; --timeout) timeout=$2 ;;
        --port) port=$2 ;; --http-port) http=$2 ;;
        *) wrong "there is no option $1" ;;
    esac
    shift 2
done
seconds "$timeout"
need docker "https://docs.docker.com/engine/install, with the NVIDIA container toolkit"
box=voice-$what state=absent
options=(--detach --name "$box" --gpus "device=$gpu" --shm-size 8g --restart unless-stopped --publish "$port:50051")
if [ "$what" = riva ]; then
    options+=(--volume riva-model-repo:/data --ulimit memlock=-1 --ulimit stack=67108864 "$image"
        start-riva --riva-uri=0.0.0.0:50051 --asr_service=true --tts_service=true --nlp_service=false)
    healthy() { docker exec "$box" /bin/grpc_health_probe -addr=:50051 >/dev/null 2>&1; }
else
    [ -n "${NGC_API_KEY:-}" ] || stop "NGC_API_KEY is not set: make a key at https://org.ngc.nvidia.com/setup and export it"
    options+=(--publish "$http:9000" --volume "$box:/opt/nim/.cache" --env NGC_API_KEY
        --env NIM_TAGS_SELECTOR="$selector" --env NIM_HTTP_API_PORT=9000 --env NIM_GRPC_API_PORT=50051 "$image")
    healthy() { curl --fail --silent --max-time 5 --output /dev/null "http://127.0.0.1:$http/v1/health/ready"; }
fi
look() { [ -n "$dry" ] || state=$(docker container inspect --format '{{.State.Status}}' "$box" 2>/dev/null || echo absent); }; look
say "$box on GPU $gpu: $state"
case $state in
    running) ;;
    absent) run docker run "${options[@]}" || stop "docker can't: docker login nvcr.io --username '\$oauthtoken', password the NGC key" ;;
    *) run docker start "$box" ;;
esac
say "waiting at most $timeout s until it is healthy"
until [ -n "$dry" ] || healthy; do
    look
    [ "$state" = running ] || stop "$box is $state; see: docker logs $box"
    [ "$SECONDS" -lt "$timeout" ] || stop "$box was not healthy after $timeout s; see: docker logs $box"
    sleep 2
done
end "healthy; gRPC at localhost:$port; next: scripts/check_riva.sh --target localhost:$port"
