"""Do the scripts ask the cluster for the right things, in the right order, as often as they are run?"""

import base64
import json

import pytest
from script_runner import ROOT, ScriptRunner
from voice_bench.stack import running
from voice_bench.stack_config import Part, StackConfig, scripted

KEY = "nvapi-very-secret"
K8S = ROOT / "k8s"
READY = "kubectl get --raw /readyz --request-timeout=10s"


async def test_without_a_key_it_is_told_where_to_get_one(runner: ScriptRunner) -> None:
    shown = await runner.run("deploy_infra.sh")
    assert (shown.status, runner.lines) == (1, [])
    assert "make a key at https://org.ngc.nvidia.com/setup" in shown.err
    assert "--no-ngc" in shown.err


async def test_the_key_reaches_the_cluster_through_pipes_alone(runner: ScriptRunner) -> None:
    runner.answer("create secret", pass_on=True)
    shown = await runner.run("deploy_infra.sh", NGC_API_KEY=KEY)
    assert shown.status == 0, shown.err
    assert KEY not in shown.out + shown.err + "".join(runner.lines)
    made = [call for call in runner.calls if "create secret" in call["line"]]
    assert json.loads(made[0]["stdin"])["auths"]["nvcr.io"] == {"username": "$oauthtoken", "password": KEY}
    assert made[1]["stdin"] == KEY
    applied = [call for call in runner.calls if "apply --server-side" in call["line"]]
    assert [call["stdin"] for call in applied] == [call["stdin"] for call in made]
    files = [file for file in runner.folder.rglob("*") if file.is_file() and file.name != "calls.jsonl"]
    assert not [file for file in files if KEY in file.read_text(encoding="utf-8")]


async def test_infrastructure_is_made_again_by_the_same_steps(runner: ScriptRunner) -> None:
    for _ in range(2):
        assert (await runner.run("deploy_infra.sh", "--no-ngc", "--local-volumes", "node-7")).status == 0
    once, again = runner.lines[: len(runner.lines) // 2], runner.lines[len(runner.lines) // 2 :]
    assert once == again
    assert once[:4] == [
        READY,
        f"kubectl apply --request-timeout=30s --kustomize {K8S}/namespaces",
        "kubectl label node node-7 voice-workflow/model-disk=true --overwrite --request-timeout=30s",
        f"kubectl apply --request-timeout=30s --kustomize {K8S}/local-volumes",
    ]


@pytest.mark.parametrize(
    ("allocatable", "warned"), [('{"cpu":"8","nvidia.com/gpu":"1"}', False), ('{"cpu":"8"}', True)]
)
async def test_a_cluster_without_gpus_is_told_so(allocatable: str, warned: bool, runner: ScriptRunner) -> None:
    runner.answer("get nodes", out=allocatable)
    shown = await runner.run("deploy_infra.sh", "--no-ngc")
    assert ("no node offers nvidia.com/gpu" in shown.out) is warned


async def test_models_are_not_deployed_without_their_secrets(runner: ScriptRunner) -> None:
    runner.answer("get secret", status=1)
    shown = await runner.run("deploy_riva.sh")
    assert (shown.status, shown.err) == (
        1,
        "deploy_riva.sh: the NGC Secrets are missing: run scripts/deploy_infra.sh\n",
    )


def speech_alone() -> StackConfig:
    return StackConfig(speech=scripted().speech, external={Part.LLM: "not needed", Part.GATEWAY: "not needed"})


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (
            (),
            [
                f"kubectl apply --request-timeout=30s --kustomize {K8S}/nim",
                *(
                    f"kubectl --namespace voice-models rollout status deployment/nim-{part} --timeout=3600s"
                    for part in ("asr", "tts", "llm")
                ),
            ],
        ),
        (
            ("--how", "operator", "--timeout", "7"),
            [
                f"kubectl apply --request-timeout=30s --kustomize {K8S}/nim-operator",
                *(
                    f"kubectl --namespace voice-models wait nimservice/nim-{part} "
                    "--for=jsonpath={.status.state}=Ready --timeout=7s"
                    for part in ("asr", "tts", "llm")
                ),
            ],
        ),
    ],
)
async def test_models_are_waited_for_and_then_listed(
    words: tuple[str, ...], asked: list[str], runner: ScriptRunner
) -> None:
    async with running(speech_alone()) as stack:
        for service in ("svc/nim-asr", "svc/nim-tts"):
            runner.forwards(service, stack.port(Part.SPEECH, "grpc"))
        shown = await runner.run("deploy_riva.sh", *words)
    assert shown.status == 0, shown.err
    assert [line for line in runner.lines if "port-forward" not in line][2:] == asked
    assert shown.out.count("asr models: scripted-asr-streaming") == 2
    assert "voices: English-US" in shown.out


async def test_a_chart_file_that_is_not_there_is_told(runner: ScriptRunner) -> None:
    shown = await runner.run("deploy_riva.sh", "--how", "chart", RIVA_CHART="none.tgz")
    assert (shown.status, shown.err) == (1, "riva_chart.sh: RIVA_CHART: none.tgz can't be read\n")


async def test_nvidias_chart_gets_the_key_through_a_pipe_and_in_no_argument(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    runner.answer("upgrade", err="Error: no room on purpose\n", status=1)
    chart = runner.folder / "riva-api.tgz"
    chart.touch()
    shown = await runner.run("deploy_riva.sh", "--how", "chart", RIVA_CHART=str(chart), NGC_API_KEY="nvapi-of-nobody")
    assert shown.status == 1
    upgrade = next(call for call in runner.calls if " upgrade " in call["line"])
    assert upgrade["stdin"] == f"ngcCredentials: {{password: {base64.b64encode(b'nvapi-of-nobody').decode()}}}\n"
    assert not any("nvapi" in line for line in runner.lines)
    assert "nvapi" not in shown.out + shown.err


async def test_nvidias_chart_without_a_key_is_not_begun(runner: ScriptRunner) -> None:
    chart = runner.folder / "riva-api.tgz"
    chart.touch()
    shown = await runner.run("deploy_riva.sh", "--how", "chart", RIVA_CHART=str(chart))
    assert (shown.status, "set NGC_API_KEY" in shown.err) == (1, True)
    assert not any("upgrade" in line for line in runner.lines)


async def test_a_service_that_can_not_be_reached_ends_the_deployment_with_kubectls_reason(runner: ScriptRunner) -> None:
    runner.answer("port-forward", err="error: unable to forward port because pod is not running\n", status=1)
    shown = await runner.run("deploy_riva.sh")
    assert shown.status == 1
    assert "port-forward svc/nim-asr failed: error: unable to forward port" in shown.err


async def test_the_gateway_is_upgraded_in_place_and_rolls_back_by_itself(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    values = K8S / "nim" / "gateway-values.yaml"
    shown = await runner.run(
        "deploy_gateway.sh",
        "--values",
        str(values),
        "--set",
        "replicas=3",
        "--set-json",
        "config.llm.temperature=0.2",
        "--timeout",
        "90",
        "--release",
        "v2",
    )
    assert shown.status == 0, shown.err
    asked = [line for line in runner.lines if line.startswith("helm ")]
    installed, tested = [line for line in asked if line.split()[1] in ("upgrade", "test")]
    assert installed == (
        f"helm upgrade --install v2 {ROOT}/helm/voice-workflow --namespace voice --values {values} --set replicas=3 "
        "--set-json config.llm.temperature=0.2 "
        "--wait --timeout 90s"
    )
    assert tested == "helm test v2 --namespace voice --timeout 180s --logs"
    assert not [line for line in runner.lines if "create namespace" in line]


async def test_a_release_that_does_not_become_ready_is_explained_and_taken_back(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    runner.answer("list --deployed", out='[{"name":"voice","revision":"3","status":"deployed"}]\n')
    runner.answer("history voice", out='[{"revision":4,"status":"failed"}]\n', first='[{"revision":3}]\n')
    runner.answer("upgrade --install", err="Error: context deadline exceeded\n", status=1)
    runner.answer("get pods", out="voice-gateway-7f  ImagePullBackOff\n")
    runner.answer("get events", out="Warning  FailedCreate  exceeded quota\n")

    shown = await runner.run("deploy_gateway.sh", "--embedded", "--no-test")

    assert shown.status == 1
    assert "ImagePullBackOff" in shown.out
    assert "exceeded quota" in shown.out
    assert "helm rollback voice 3 --namespace voice --wait --timeout 600s" in runner.lines
    assert shown.err.endswith("for the reasons above; revision 3 runs again\n")
    at = {part: next(i for i, line in enumerate(runner.lines) if part in line) for part in ("get events", "rollback")}
    assert at["get events"] < at["rollback"], "the evidence is read before it goes"


async def test_a_first_install_that_fails_stays_to_be_looked_at(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    runner.answer("history voice", out='[{"revision":1,"status":"failed"}]\n', first="")
    runner.answer("upgrade --install", status=1)

    shown = await runner.run("deploy_gateway.sh", "--no-test")

    assert (shown.status, "it stays as it is" in shown.err) == (1, True)
    assert not [line for line in runner.lines if "rollback" in line or "uninstall" in line]


async def test_values_that_helm_refuses_change_nothing(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    runner.answer("list", out='[{"name":"voice","revision":"3"}]\n')
    runner.answer("history voice", out='[{"revision":3}]\n')
    runner.answer("upgrade --install", err="Error: at '/replicas': got string\n", status=1)

    shown = await runner.run("deploy_gateway.sh", "--no-test", "--set", "replicas=two")

    assert (shown.status, "nothing was changed" in shown.err) == (1, True)
    assert not [line for line in runner.lines if "rollback" in line or "get events" in line]


async def test_a_missing_namespace_is_made_restricted(runner: ScriptRunner) -> None:
    runner.answer("version", out="v4.1.4+gabc\n")
    runner.answer("get namespace", status=1)
    assert (await runner.run("deploy_gateway.sh", "--namespace", "calls", "--no-test")).status == 0
    at = runner.lines.index("kubectl create namespace calls --request-timeout=30s")
    assert "label namespace calls pod-security.kubernetes.io/enforce=restricted" in runner.lines[at + 1]


async def test_values_that_can_not_be_read_are_told_before_anything_is_done(runner: ScriptRunner) -> None:
    shown = await runner.run("deploy_gateway.sh", "--values", "none.yaml")
    assert (shown.status, shown.err) == (1, "deploy_gateway.sh: --values: none.yaml can't be read\n")
    assert runner.lines == []


async def test_a_forwarding_that_can_not_work_is_given_up(runner: ScriptRunner) -> None:
    runner.answer("port-forward", err="unable to listen on port 50050\n", status=1)
    shown = await runner.run("port_forward.sh")
    assert shown.status == 1
    assert shown.err.endswith("the forwarding ended five times at once; kubectl's reason stands above\n")
    assert "unable to listen on port 50050" in shown.err


@pytest.mark.parametrize(("ports", "page"), [("grpc web http", " 9:8090"), ("grpc http", "")])
async def test_one_forwarding_is_enough_when_asked_so(runner: ScriptRunner, ports: str, page: str) -> None:
    runner.answer("get service", out=ports)
    mine = ("--port", "7", "--http-port", "8", "--web-port", "9")
    shown = await runner.run("port_forward.sh", "--once", *mine)
    assert shown.status == 0
    forward = "kubectl --namespace voice port-forward --address 127.0.0.1 svc/voice-gateway-headless"
    assert runner.lines[-1] == f"{forward} 7:50050 8:8080{page}"
    assert ("the page at http://127.0.0.1:9" in shown.out + shown.err) == bool(page)
