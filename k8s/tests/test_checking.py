"""Do the checks reach real servers through the scripts, and is their verdict the script's exit status?"""

import json

from script_runner import ScriptRunner
from voice_bench.stack import running
from voice_bench.stack_config import Part, StackConfig, embedded, scripted


def speech_alone() -> StackConfig:
    return StackConfig(speech=scripted().speech, external={Part.LLM: "not needed", Part.GATEWAY: "not needed"})


async def test_any_riva_can_be_asked_what_it_serves(runner: ScriptRunner) -> None:
    async with running(speech_alone()) as stack:
        shown = await runner.run("check_riva.sh", "--target", stack.speech_target, "--needs", "both", "--json")
    assert (shown.status, shown.err) == (0, "")
    assert json.loads(shown.out)["asr_models"] == ["scripted-asr-streaming"]


async def test_nobody_there_is_a_failure_with_a_sentence(runner: ScriptRunner) -> None:
    shown = await runner.run("check_riva.sh", "--target", "127.0.0.1:1", "--wait", "0.3")
    assert (shown.status, shown.out) == (1, "")
    assert shown.err == "127.0.0.1:1 was not ready after 0.3 s: nobody answers there\n"


async def test_a_smoke_test_is_a_spoken_round_trip_through_port_forward(runner: ScriptRunner) -> None:
    async with running(embedded()) as stack:
        runner.forwards("svc/voice-gateway-http :8080", stack.port(Part.GATEWAY, "http"))
        runner.forwards("svc/voice-gateway :50050", stack.port(Part.GATEWAY, "grpc"))
        shown = await runner.run("smoke.sh")
    assert shown.status == 0, shown.out + shown.err
    assert '"status": "ready"' in shown.out
    assert "heard" in shown.out
    assert (
        "kubectl --namespace voice wait deployment voice-gateway --for=condition=Available --timeout=120s"
        in runner.lines
    )


async def test_a_gateway_whose_backend_is_gone_is_no_good(runner: ScriptRunner) -> None:
    async with running(scripted()) as stack:
        await stack.servers[Part.LLM].kill()
        port = stack.port(Part.GATEWAY, "grpc")
        shown = await runner.run("check_conversation.sh", "--host", "127.0.0.1", "--port", str(port), "--timeout", "5")
        await stack.servers[Part.LLM].start()
    assert shown.status == 1
    assert "language model" in shown.err or "llm" in shown.err


async def test_production_is_never_a_scripted_stack(runner: ScriptRunner) -> None:
    async with running(scripted()) as stack:
        shown = await runner.run(
            "check_production.sh",
            *("--target", stack.target, "--metrics", f"{stack.http_url(Part.GATEWAY)}/metrics"),
            *("--riva", stack.speech_target, "--llm", stack.llm_base_url, "--plaintext"),
        )
    assert shown.status == 1
    assert "scripted-asr-streaming is a scripted recogniser" in shown.out
    assert shown.out.endswith("not fit for production\n")


async def test_production_is_not_judged_without_its_backends_addresses(runner: ScriptRunner) -> None:
    shown = await runner.run(
        "check_production.sh", "--target", "127.0.0.1:1", "--metrics", "http://127.0.0.1:1/metrics"
    )
    assert (shown.status, shown.err) == (2, "check_production.sh: --riva is missing; see check_production.sh --help\n")
