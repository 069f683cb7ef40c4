"""Are the manifests valid, and do they say what Riva, the NIMs and the gateway need?"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kustomize import K8S, Document, built, containers, documents

FOLDERS = ("namespaces", "local-volumes", "nim", "nim-local-volumes", "nim-operator")
VERSIONS = ("1.33", "1.34", "1.35")
OPERATOR = "apps.nvidia.com/v1alpha1"


def schema(kind: str) -> Any:
    return json.loads((Path(__file__).parent / "crds" / f"{kind}.json").read_text(encoding="utf-8"))


def named(objects: list[Document], kind: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_fits_the_schema_of_kubernetes(folder: str, version: str) -> None:
    for one in built(K8S / folder):
        if one["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(one, version, strict=True)


def test_the_operators_resources_fit_its_schema() -> None:
    checked = [one for one in built(K8S / "nim-operator") if one["apiVersion"] == OPERATOR]
    assert {one["kind"] for one in checked} == {"NIMCache", "NIMService"}
    for one in checked:
        jsonschema.validate(one, schema(one["kind"]))


def test_a_bare_startup_probe_is_refused_by_the_operators_schema() -> None:
    service = named(built(K8S / "nim-operator"), "NIMService")["nim-asr"]
    service["spec"]["startupProbe"] = service["spec"]["startupProbe"]["probe"]
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        jsonschema.validate(service, schema("NIMService"))


@pytest.mark.parametrize(("name", "seconds"), [("nim-asr", 2400), ("nim-tts", 3000), ("nim-llm", 1800)])
def test_the_first_start_may_take_as_long_as_models_need(name: str, seconds: int) -> None:
    deployment = named(built(K8S / "nim"), "Deployment")[name]
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= seconds
    assert deployment["spec"]["progressDeadlineSeconds"] > seconds
    of_operator = named(built(K8S / "nim-operator"), "NIMService")[name]["spec"]["startupProbe"]["probe"]
    assert of_operator["periodSeconds"] * of_operator["failureThreshold"] >= seconds


@pytest.mark.parametrize("name", ["nim-asr", "nim-tts", "nim-llm"])
def test_each_model_has_a_gpu_a_cache_shared_memory_and_passes_restricted(name: str) -> None:
    pod = named(built(K8S / "nim"), "Deployment")[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/opt/nim/.cache", "/dev/shm"}
    memory = {volume["name"]: volume for volume in pod["volumes"]}["shm"]["emptyDir"]
    assert memory["medium"] == "Memory"
    assert int(memory["sizeLimit"].removesuffix("Gi")) >= 8
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod["automountServiceAccountToken"] is False


def test_every_image_has_a_tag_and_the_operator_takes_the_same() -> None:
    plain = sorted(container["image"] for container in containers(built(K8S / "nim")))
    assert all(re.fullmatch(r"nvcr\.io/nim/[a-z0-9./-]+:\d+\.\d+\.\d+", image) for image in plain)
    services = named(built(K8S / "nim-operator"), "NIMService").values()
    assert plain == sorted(f"{one['spec']['image']['repository']}:{one['spec']['image']['tag']}" for one in services)
    caches = named(built(K8S / "nim-operator"), "NIMCache").values()
    assert plain == sorted(one["spec"]["source"]["ngc"]["modelPuller"] for one in caches)


def test_services_select_the_pods_and_their_ports_are_there() -> None:
    objects = built(K8S / "nim")
    deployments = named(objects, "Deployment")
    for name, service in named(objects, "Service").items():
        template = deployments[name]["spec"]["template"]
        assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        offered = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
        assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == offered


def test_every_claim_is_used_and_the_local_disks_fit_them() -> None:
    objects = built(K8S / "nim-local-volumes")
    claims, volumes = named(objects, "PersistentVolumeClaim"), named(objects, "PersistentVolume")
    used = {
        volume["persistentVolumeClaim"]["claimName"]
        for one in named(objects, "Deployment").values()
        for volume in one["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert used == set(claims) == {volume["spec"]["claimRef"]["name"] for volume in volumes.values()}
    for volume in volumes.values():
        claim = claims[volume["spec"]["claimRef"]["name"]]
        assert volume["spec"]["storageClassName"] == claim["spec"]["storageClassName"]
        assert volume["spec"]["capacity"] == claim["spec"]["resources"]["requests"]
        assert volume["spec"]["accessModes"] == claim["spec"]["accessModes"]


def test_secrets_that_pods_name_are_the_ones_of_the_template() -> None:
    secrets = named(documents(K8S / "secrets" / "ngc.template.yaml"), "Secret")
    assert set(secrets) == {"ngc-secret", "ngc-api"}
    for one in secrets.values():
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    login = json.loads(secrets["ngc-secret"]["stringData"][".dockerconfigjson"])
    assert login["auths"]["nvcr.io"]["username"] == "$oauthtoken"
    for deployment in named(built(K8S / "nim"), "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["imagePullSecrets"] == [{"name": "ngc-secret"}]
        keys = [one["valueFrom"]["secretKeyRef"] for one in pod["containers"][0]["env"] if "valueFrom" in one]
        assert keys == [{"name": "ngc-api", "key": "NGC_API_KEY"}]


def test_no_manifest_holds_a_secret() -> None:
    for folder in FOLDERS:
        assert not [one for one in built(K8S / folder) if one["kind"] == "Secret"]


def test_everything_lies_in_a_namespace_that_exists() -> None:
    objects = built(K8S / "nim-local-volumes")
    namespaces = set(named(objects, "Namespace"))
    cluster_wide = {"Namespace", "PersistentVolume", "StorageClass"}
    assert {one["metadata"]["namespace"] for one in objects if one["kind"] not in cluster_wide} <= namespaces
    enforced = {name: one["metadata"]["labels"] for name, one in named(objects, "Namespace").items()}
    assert enforced["voice"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert enforced["voice-models"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_the_gateways_namespace_may_call_the_models() -> None:
    objects = built(K8S / "nim")
    (rule,) = named(objects, "NetworkPolicy")["models"]["spec"]["ingress"]
    wanted = rule["from"][0]["namespaceSelector"]["matchLabels"]
    assert wanted.items() <= named(objects, "Namespace")["voice"]["metadata"]["labels"].items()


def test_the_gateways_values_name_services_and_ports_that_are_there() -> None:
    (values,) = documents(K8S / "nim" / "gateway-values.yaml")
    services = named(built(K8S / "nim"), "Service")
    config = values["config"]
    for address in (config["riva"]["asrUri"], config["riva"]["ttsUri"], config["llm"]["baseUrl"]):
        found = re.fullmatch(r"(?:http://)?([a-z-]+)\.voice-models:(\d+)(?:/v1)?", address)
        assert found, address
        assert int(found[2]) in [port["port"] for port in services[found[1]]["spec"]["ports"]]
    model = config["llm"]["model"]
    assert [container for container in containers(built(K8S / "nim")) if f"/{model}:" in container["image"]]
    chart = yaml.safe_load((K8S.parent / "helm/voice-workflow/values.yaml").read_text(encoding="utf-8"))["config"]
    for part, names in config.items():
        assert set(names) <= set(chart[part])
