"""Would `docker compose up` start the stack? The file against the specification's schema and the programs' settings."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from mini_llm.settings import Settings as MiniLlmSettings
from pydantic_settings import BaseSettings
from serving.settings import read
from speech_server import settings as speech
from voice_gateway.config import Settings as GatewaySettings

ROOT = Path(__file__).parents[2]
SCHEMA = jsonschema.Draft7Validator(
    json.loads((Path(__file__).parent / "compose_spec/compose-spec.json").read_text(encoding="utf-8"))
)
PROGRAMS: dict[str, tuple[Sequence[type[BaseSettings]], str]] = {
    "speech-server": (speech.GROUPS, ""),
    "mini-llm": ((MiniLlmSettings,), "MINI_LLM_"),
    "gateway": ((GatewaySettings,), ""),
}
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
GRPC, HTTP, WEB = (GatewaySettings.model_fields[f"gateway_{name}port"].default for name in ("", "http_", "web_"))


def composed(text: str = TEXT) -> dict[str, Any]:
    """The file as an engine reads it where no variable is set."""
    file: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))
    assert "${" not in json.dumps(file), "a variable without a default"
    return file


SERVICES: dict[str, dict[str, Any]] = composed()["services"]


def dockerfile(name: str) -> str:
    """The text of the Dockerfile that a service is built from."""
    build: dict[str, str] = SERVICES[name]["build"]
    return (ROOT / build["context"] / build["dockerfile"]).read_text(encoding="utf-8")


def test_the_file_is_a_compose_file() -> None:
    SCHEMA.validate(composed())


@pytest.mark.parametrize(
    ("right", "wrong"), [("restart:", "restarts:"), ("condition: service_healthy", "condition: healthy")]
)
def test_a_mistake_would_be_seen(right: str, wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(composed(TEXT.replace(right, wrong)))


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_its_program(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups, prefix = PROGRAMS[name]
    variables = SERVICES[name].get("environment", {})
    assert variables.keys() <= {f"{prefix}{field}".upper() for group in groups for field in group.model_fields}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value or "")
    for group in groups:
        read(group)


def test_the_parts_find_each_other() -> None:
    gateway, llm = SERVICES["gateway"]["environment"], MiniLlmSettings()
    assert gateway["RIVA_HOST"] in SERVICES
    assert gateway["LLM_BASE_URL"] == f"http://mini-llm:{llm.port}/v1"
    assert gateway["LLM_MODEL"] == llm.model
    assert speech.ServerSettings().speech_grpc_port == GatewaySettings.model_fields["riva_port"].default


def test_whoever_is_waited_for_tells_its_health() -> None:
    waited_for = {name for service in SERVICES.values() for name in service.get("depends_on", {})}
    assert waited_for
    assert all("HEALTHCHECK" in dockerfile(name) for name in (*waited_for, "gateway"))


def test_only_this_machine_reaches_it_and_each_port_is_one_of_the_gateway() -> None:
    published = [port.split(":") for service in SERVICES.values() for port in service.get("ports", [])]
    assert {host for host, _, _ in published} == {"127.0.0.1"}
    assert {int(inside) for _, _, inside in published} == {GRPC, HTTP, WEB}


def test_every_image_is_one_that_the_build_script_knows() -> None:
    script = (ROOT / "scripts/build_gateway.sh").read_text(encoding="utf-8")
    for name, service in SERVICES.items():
        assert service["image"] == f"voice-workflow/{name}:local"
        assert re.search(rf"\b{name}\b", script)


def test_a_program_has_the_time_to_end_its_calls() -> None:
    times = {
        name: [float(value) for variable, value in service.get("environment", {}).items() if "_DRAIN_" in variable]
        for name, service in SERVICES.items()
    }
    assert times["gateway"]
    assert len(times["speech-server"]) == 2
    assert all(
        sum(seconds) < int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name, seconds in times.items()
    )
