"""Is a container started once, waited for over its real health port, and its end told?"""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from script_runner import ScriptRunner

KEY = "nvapi-very-secret"


class Health:
    """A NIM's /v1/health/ready: 503 for the first `loading` questions."""

    def __init__(self, loading: int) -> None:
        self.loading = loading
        self.port = 0

    async def ready(self, request: web.Request) -> web.Response:
        self.loading -= 1
        return web.json_response({"status": "ready"}, status=503 if self.loading >= 0 else 200)


@pytest.fixture
async def nim() -> AsyncIterator[Health]:
    health = Health(loading=1)
    app = web.Application()
    app.router.add_get("/v1/health/ready", health.ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    health.port = runner.addresses[0][1]
    yield health
    await runner.cleanup()


async def test_a_nim_is_started_and_waited_for(nim: Health, runner: ScriptRunner) -> None:
    runner.answer("docker container inspect", status=1)
    runner.answer("docker run")
    nim.loading = 0
    shown = await runner.run("run_riva_docker.sh", "asr", "--http-port", str(nim.port), "--gpu", "1", NGC_API_KEY=KEY)
    assert shown.status == 0, shown.err
    started = runner.lines[1]
    assert started.startswith("docker run --detach --name voice-asr --gpus device=1 --shm-size 8g")
    assert "--publish 50051:50051" in started
    assert f"--publish {nim.port}:9000" in started
    assert "--env NGC_API_KEY --env NIM_TAGS_SELECTOR=mode=str,vad=silero" in started
    assert started.endswith("nvcr.io/nim/nvidia/parakeet-1-1b-ctc-en-us:1.5.0")
    assert KEY not in shown.out + shown.err + "".join(runner.lines)
    assert shown.out.endswith("next: scripts/check_riva.sh --target localhost:50051\n")


async def test_a_container_that_runs_is_left_as_it_is(nim: Health, runner: ScriptRunner) -> None:
    runner.answer("docker container inspect", out="running\n")
    shown = await runner.run("run_riva_docker.sh", "tts", "--http-port", str(nim.port), NGC_API_KEY=KEY)
    assert (shown.status, nim.loading) == (0, -1)
    assert [line for line in runner.lines if "inspect" not in line] == []


async def test_a_container_that_stopped_is_started_again(nim: Health, runner: ScriptRunner) -> None:
    nim.loading = 0
    runner.answer("docker container inspect", out="exited\n")
    assert (await runner.run("run_riva_docker.sh", "tts", "--http-port", str(nim.port), NGC_API_KEY=KEY)).status == 0
    assert runner.lines[-1] == "docker start voice-tts"


async def test_a_container_that_dies_while_it_loads_is_told_with_its_log(nim: Health, runner: ScriptRunner) -> None:
    nim.loading = 1000
    runner.answer("docker container inspect", out="restarting\n")
    shown = await runner.run("run_riva_docker.sh", "asr", "--http-port", str(nim.port), NGC_API_KEY=KEY)
    assert (shown.status, shown.err) == (
        1,
        "run_riva_docker.sh: voice-asr is restarting; see: docker logs voice-asr\n",
    )


async def test_one_that_is_never_healthy_is_given_up_in_time(nim: Health, runner: ScriptRunner) -> None:
    nim.loading = 1000
    runner.answer("docker container inspect", out="running\n")
    shown = await runner.run(
        "run_riva_docker.sh", "asr", "--http-port", str(nim.port), "--timeout", "1", NGC_API_KEY=KEY
    )
    assert shown.status == 1
    assert "voice-asr was not healthy after 1 s" in shown.err


async def test_the_legacy_server_needs_no_key_and_is_asked_by_its_own_probe(runner: ScriptRunner) -> None:
    runner.answer("docker container inspect", status=1)
    shown = await runner.run("run_riva_docker.sh", "riva")
    assert shown.status == 0, shown.err
    assert runner.lines[1].endswith(
        "start-riva --riva-uri=0.0.0.0:50051 --asr_service=true --tts_service=true --nlp_service=false"
    )
    assert runner.lines[2] == "docker exec voice-riva /bin/grpc_health_probe -addr=:50051"


async def test_a_refused_image_is_told_with_the_login(runner: ScriptRunner) -> None:
    runner.answer("docker container inspect", status=1)
    runner.answer("docker run", err="unauthorized\n", status=125)
    shown = await runner.run("run_riva_docker.sh", "asr", NGC_API_KEY=KEY)
    assert shown.status == 1
    assert "docker login nvcr.io --username '$oauthtoken'" in shown.err


async def test_a_nim_without_a_key_is_refused(runner: ScriptRunner) -> None:
    shown = await runner.run("run_riva_docker.sh", "asr")
    assert (shown.status, runner.lines) == (1, [])
    assert "NGC_API_KEY is not set" in shown.err
